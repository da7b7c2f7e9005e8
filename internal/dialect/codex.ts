import { dropHeader, setBearer, setHeader } from './headers.ts'
import { atEpoch, latestExhausted } from './hints.ts'
import { openaiHint, openaiShaped } from './openai-shape.ts'
import { accountClosed, egressBlocked, type Hint, isHtml, quota } from './rows.ts'

const accountHeader = 'chatgpt-account-id'
const windows = ['primary', 'secondary']

/** The body's reset; else that of the window of `x-codex-*` that is used up. */
const hint: Hint = (signal, now) =>
  openaiHint(signal, now) ??
  latestExhausted(
    windows.map((window) => ({
      exhausted: Number(signal.header(`x-codex-${window}-used-percent`)) >= 100,
      at: atEpoch(signal.header(`x-codex-${window}-reset-at`), now),
    })),
  )

/** The ChatGPT backend that Codex talks to; SIGNALS, "ChatGPT / Codex backend". */
export const codex = openaiShaped('codex', {
  defaultBaseUrl: 'https://chatgpt.com/backend-api/codex',
  keyHeaders: ['authorization'],
  rows: [
    { code: ['usage_not_included'], means: { ...quota, reason: 'plan' } },
    { code: ['deactivated_workspace', 'invalid_workspace_selected'], means: accountClosed },
  ],
  statuses: [{ on: [403], when: ({ text }) => text.trim() === '' || isHtml(text), means: egressBlocked }],
  hint,
  oauth: true,
  inject(headers, { secret, accountId }) {
    setBearer(headers, secret)
    // The account belongs to the token: the client's own would be refused or, worse, served from elsewhere.
    if (accountId === null) dropHeader(headers, accountHeader)
    else setHeader(headers, accountHeader, accountId)
  },
  // A login is tested by its refresh; the backend has no request that any account may send.
  probe: (_baseUrl, probePath) => (probePath === null ? null : { method: 'GET', path: probePath }),
})
