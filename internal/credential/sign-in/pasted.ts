import { Refusal } from '../../pool/pool.ts'

const wanted =
  'paste the whole address that the browser ended at, from its address bar: it begins with http and has code= and state= in it'

/**
 * What a person copied, as the parameters with which a browser comes back: the whole address, or `code#state`. Refuses all
 * else, and what belongs to another login, so that nothing that was pasted by mistake is sent to anybody.
 */
export function pasted(text: string, state: string): URLSearchParams {
  const trimmed = text.trim()
  const given = URL.canParse(trimmed) ? new URL(trimmed).searchParams : shortForm(trimmed)
  if (!given || !(given.has('code') || given.has('error')))
    throw new Refusal('invalid', 'that is not the address at which the browser ended up', wanted)
  if (given.get('state') !== state)
    throw new Refusal('invalid', 'that address belongs to another login', 'open the address of this login, then paste')
  return given
}

/** The form in which Anthropic's page shows it. */
function shortForm(text: string): URLSearchParams | null {
  const [, code, state] = /^([\w.~-]{10,})#([\w.~-]{10,})$/.exec(text) ?? []
  return code === undefined || state === undefined ? null : new URLSearchParams({ code, state })
}
