import { z } from 'zod'
import { verb } from '../verb.ts'

export const configurationVerbs = {
  configWaiting: verb({
    method: 'GET',
    path: '/v1/config/waiting',
    args: z.strictObject({}),
    run: async (call): Promise<{ settings: string[] }> => ({
      settings: [...((await call.configNow?.())?.waiting ?? [])],
    }),
  }),
}
