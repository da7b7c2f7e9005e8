/**
 * Points other programs at a pool by changing their own configuration files, and takes that back. What is written where is
 * data (`clients.ts`); the old content is kept in the data directory until it is taken back.
 */
export { type ClientName, clientNamed } from './clients.ts'
export { type Connected, connect, connectionsIn, type Disconnected, disconnect } from './connection.ts'
export { type FileChange, maskedDiff } from './diff.ts'
export { fittingPool } from './fit.ts'
export type { Pointer, World } from './plan.ts'
