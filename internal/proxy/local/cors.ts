import { headerIn, type IncomingRequest } from '../../http1/http1.ts'
import type { Prepared } from './answer.ts'

/**
 * Any origin may read an answer of our own: who asks has a client key and no cookie, and whether a page may ask at all the
 * upstream has said to its preflight.
 */
const readable: readonly string[] = ['access-control-allow-origin', '*', 'access-control-expose-headers', '*']

/** An answer of our own as a page in a browser can read it (Fetch, "CORS protocol"); as it is where no page asks. */
export function readableTo({ rawHeaders }: IncomingRequest, answer: Prepared): Prepared {
  if (headerIn(rawHeaders, 'origin') === undefined) return answer
  return { ...answer, headers: [...answer.headers, ...readable] }
}
