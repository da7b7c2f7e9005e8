/**
 * What each provider's API means and wants to hear: where keys sit, how to inject, what a response says, how to phrase
 * an error. One file per provider; all pure functions.
 */
export type * from './port.ts'
export { providers } from './port.ts'
