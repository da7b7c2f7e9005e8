/**
 * HTTP/1.1 on the wire: a server that reads requests with node's own parser and answers them without node's streams, and a
 * client that does the same for responses. It knows no pool, no key and no dialect; README.md beside it says which rules it keeps.
 */
export { BodyStream } from './body/body-stream.ts'
export { HeldBody } from './body/held-body.ts'
export { noBody, type RequestBody } from './body/request-body.ts'
export { ConnectionPool } from './client/connection-pool.ts'
export { canParseResponses } from './client/response-parser.ts'
export {
  hasUnexpectedCoding,
  maxHeaderSize,
  maxInformational,
  type OpenConnection,
  type OutgoingRequest,
  type ResponseListener,
  type Sending,
  type Transport,
  type TransportLoad,
  type TransportSettings,
  unexpectedTransferCoding,
} from './client/transport.ts'
export { WaitLimit } from './client/wait-limit.ts'
export { BodyTimeout, ConnectionsInUse, HeadTimeout, InvalidRequest, InvalidResponse } from './errors.ts'
export { type Frame, type FramingFault, frameOf } from './framing.ts'
export { guarded } from './guarded.ts'
export { asksForWebSocket, headerIn, type RawHeaders } from './headers.ts'
export type { Expectation, IncomingRequest, OutgoingResponse } from './messages.ts'
export { reset } from './reset.ts'
export type { RequestHandler, ServerIdentity } from './server/acceptor.ts'
export type { Rejection, RequestFault } from './server/rejection.ts'
export { canParseRequests } from './server/request-parser.ts'
export { HttpServer } from './server/server.ts'
export type { UpgradeClient } from './server/upgrade-client.ts'
export { longestSingleWrite } from './single-write.ts'
