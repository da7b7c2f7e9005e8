import { openaiShaped } from './openai-shape.ts'
import { probeOf } from './probes.ts'
import { rateLimited } from './rows.ts'
import { text } from './signal.ts'

/** The OpenAI API; SIGNALS, "OpenAI API". Its codes are those that all APIs of its shape share. */
export const openai = openaiShaped('openai', {
  defaultBaseUrl: 'https://api.openai.com',
  keyHeaders: ['authorization'],
  rows: [],
  statuses: [
    {
      on: [429],
      when: ({ error }) => text(error.type) === '' && text(error.code) === '',
      means: { ...rateLimited, reason: 'burst', weak: true, forMs: 3_000 },
    },
  ],
  probe: probeOf('/v1/models'),
})
