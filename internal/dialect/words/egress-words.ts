import { egressBlocked, isHtml, phrase, type Row } from '../rows.ts'
import type { Signal } from '../signal.ts'

/** The upstream refuses the address that we come from. */
export const addresses: readonly Row[] = [
  {
    code: [
      'ip_not_authorized',
      'unsupported_country_region_territory',
      'ip_not_in_allowed_range',
      'UNSUPPORTED_LOCATION',
    ],
    means: egressBlocked,
  },
  {
    on: [401, 403],
    says: /\bIP(?: address)? (?:is )?not (?:authori[sz]ed|allowed|in the allowed)\b|\bIP allowlist\b|^Access denied\. Please check your network settings\b/i,
    means: egressBlocked,
  },
  { on: [400, 403], says: phrase('User location is not supported for the API use'), means: egressBlocked },
  { on: [403], says: phrase('Country, region, or territory not supported'), means: egressBlocked },
  { when: isCloudflare, means: egressBlocked },
]

/**
 * A challenge or a refusal of Cloudflare's (error 1006 to 1020) instead of an answer: it stands between us and the upstream
 * and limits the address, whoever asks.
 */
function isCloudflare({ header, text }: Signal): boolean {
  if (header('cf-mitigated') !== undefined) return true
  if (/^\s*error code: 10(?:0[6-9]|1\d|20)\s*$/.test(text)) return true
  return (
    isHtml(text) &&
    /\/cdn-cgi\/challenge-platform\/|Just a moment|\bError(?: code:?)? 10(?:0[6-9]|1\d|20)\b|used Cloudflare to restrict access/i.test(
      text,
    )
  )
}
