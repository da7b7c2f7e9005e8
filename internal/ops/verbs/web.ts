import { z } from 'zod'
import { Refusal } from '../../pool/pool.ts'
import { instant } from '../present.ts'
import { verb } from '../verb.ts'

/** A link that lets one browser into the web view, once. */
export interface WebLinkShape {
  url: string
  expiresAt: string
}

/** One setting as it is in force. */
export interface SettingShape {
  key: string
  /** What may hold a secret, such as the path of a webhook, is left out. */
  value: unknown
  /** `spillway.yaml:12`, `SPILLWAY_SERVER_LISTEN` or `--listen`; null for a default. */
  place: string | null
  /** Another value is written there, which takes the next start. */
  waits: boolean
}

export const webVerbs = {
  webLink: verb({
    method: 'POST',
    path: '/v1/web/link',
    args: z.strictObject({}),
    secret: true,
    async run({ web }): Promise<WebLinkShape> {
      if (!web)
        throw new Refusal('conflict', 'there is no web view: web.listen is null', 'web.listen names its address')
      if (web.problem !== null)
        throw new Refusal(
          'conflict',
          `the web view does not listen: ${web.problem}`,
          'name another address with web.listen, and start spillway again',
        )
      const { url, expiresAt } = web.link()
      return { url, expiresAt: instant(expiresAt) }
    },
  }),
  settings: verb({
    method: 'GET',
    path: '/v1/settings',
    args: z.strictObject({}),
    async run(call): Promise<SettingShape[]> {
      const written = (await call.settings?.()) ?? []
      return written.map(({ key, value, place, waits }) => ({ key, value: shown(value), place, waits }))
    },
  }),
}

/** Addresses may carry a secret in their path, their query or before their host. */
function shown(value: unknown): unknown {
  if (typeof value !== 'string' || !/^[a-z+]+:\/\//i.test(value) || !URL.canParse(value)) return value
  const { protocol, host, pathname, search, username } = new URL(value)
  const more = (pathname === '/' || pathname === '') && search === '' && username === '' ? '' : '/…'
  return `${protocol}//${host}${more}`
}
