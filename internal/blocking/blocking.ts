/**
 * Calls that may block for ever, such as looks at a mount that hangs: made outside the main thread, with a deadline.
 * A thread that hangs in the kernel cannot be ended; a process can be killed, so that nothing of it stays behind.
 */
export { BlockingCalls, type BlockingCode, BlockingFailed, type BlockingOptions, type Tasks } from './calls.ts'
export { emitted } from './emitted.ts'
export { type FileFact, inspectFiles, readText } from './looks.ts'
export { type Handlers, serve } from './serving.ts'
