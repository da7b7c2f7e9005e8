import type { Duty, Fleet } from './port.ts'

/** The fleet of one replica with a store of its own: it always leads. */
export function alone(): Fleet {
  let duty: Duty | null = null
  return {
    leads: () => true,
    ledBefore: () => true,
    lease: () => null,
    hold: async (name) => ({
      lease: { name, holder: 'alone', generation: 1 },
      isOurs: () => true,
      release: async () => {},
    }),
    inTurn: (_name, run) => run(),
    replicas: async () => [],
    async start(given) {
      duty = given
      await duty.begin()
    },
    drain: async () => {},
    async stop() {
      await duty?.end()
      duty = null
    },
  }
}
