/**
 * Calls that may block for ever, such as looks at a mount that hangs: made outside the main thread, with a deadline.
 * A thread that hangs in the kernel cannot be ended; a process can be killed, so that nothing of it stays behind.
 */
export { type BlockingCode, BlockingFailed, Desk, type DeskOptions, type Tasks } from './desk.ts'
export { serve } from './serving.ts'
