/**
 * The replicas that share a store: what the others change is followed, what has to happen once is done under a lease, and
 * each says that it lives. With a store of one's own there is one replica, and nothing to ask.
 */
export { alone } from './alone.ts'
export { differenceTo } from './difference.ts'
export type { Hearing } from './follower.ts'
export type { Duty, Fleet, Hold, ReplicaStatus } from './port.ts'
export { Replicas, type ReplicasDeps } from './replicas.ts'
export { NoTurn } from './turns.ts'
