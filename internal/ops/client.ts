/**
 * What those need who call the verbs of a running daemon, such as a command that answers and ends: the words of the verbs.
 * Loads next to nothing; what carries the verbs out is behind `ops.ts`.
 */
export { providers, shapes } from '../dialect/port.ts'
export { Refusal, type RefusalCode } from '../pool/refusal.ts'
export { strategies } from '../pool/strategy.ts'
export { phrasedHint } from './hint.ts'
export { tools } from './tools.ts'
