/**
 * Points other programs at a pool by changing their own configuration files, and takes that back. What is written where is
 * data (`clients.ts`); the old content is kept in the data directory until it is taken back.
 */
export { type Client, type ClientName, clientNamed } from './clients.ts'
export { connect, connectionsIn, disconnect, type Site } from './connection.ts'
export { type FileChange, maskedDiff } from './diff.ts'
export { fittingPool } from './fit.ts'
export type { Pointer } from './plan.ts'
export { rivalsIn } from './rivals.ts'
