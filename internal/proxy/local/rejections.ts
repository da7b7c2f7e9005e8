import type { LocalAnswer } from '../../dialect/dialect.ts'
import type { RequestFault } from '../../http1/http1.ts'
import { problem } from './errors.ts'

/** The answers to bytes that do not become a request, by their fault. */
export const rejections: Readonly<Record<RequestFault, LocalAnswer>> = {
  malformed: problem(400, 'bad_request', 'This is not a valid HTTP request.'),
  'head-too-long': problem(431, 'headers_too_large', 'The head of the request is too long.'),
  'chunk-extensions-too-long': problem(413, 'bad_request', 'The chunk extensions are too long.'),
  timeout: problem(408, 'request_timeout', 'The request did not come in time.'),
}
