/** The only place where the time is read, and the only owner of timers. */
export { FakeClock } from './fake.ts'
export { type Cancel, type Clock, sleep, within } from './port.ts'
export { systemClock } from './system.ts'
