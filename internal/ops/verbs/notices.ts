import { z } from 'zod'
import { Refusal } from '../../pool/pool.ts'
import type { ChannelReport } from '../notices.ts'
import { verb } from '../verb.ts'

export const noticeVerbs = {
  noticesTest: verb({
    method: 'POST',
    path: '/v1/notices/test',
    args: z.strictObject({}),
    async run(call): Promise<ChannelReport[]> {
      const reports = await call.notices.test()
      if (reports.length > 0) return [...reports]
      throw new Refusal(
        'conflict',
        'nobody is told: neither notices.telegram nor notices.webhook is set up',
        'docs/notices.md shows what to write into spillway.yaml',
      )
    },
  }),
}
