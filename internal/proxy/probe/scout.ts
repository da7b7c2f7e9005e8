import { NoMaterial } from '../../credential/credential.ts'
import { type Look, usageEndpoint } from '../../dialect/dialect.ts'
import type { Answer, Lease, LivePool, Scout } from '../../engine/engine.ts'
import { noBody } from '../../http1/http1.ts'
import { silentOutcome } from '../../pool/pool.ts'
import { Reading } from '../attempt/reading.ts'
import { beginningOf } from './beginning.ts'
import { answered, findingOf, type ProbeDeps } from './probe.ts'
import { reaches } from './reach.ts'

/** The Scout that the engine uses in the background: it asks with the canonical request, or only connects. */
export function createScout(parts: ProbeDeps): Scout {
  return {
    async ask(credential, pool) {
      try {
        const outcome = await answered(parts, {
          credential,
          pool,
          material: () => parts.credentials.material(credential),
        })
        return outcome && { finding: findingOf(outcome).finding, outcome }
      } catch (error) {
        return error instanceof NoMaterial ? null : unreached
      }
    },
    async look(credential, pool) {
      try {
        return await lookedAt(parts, credential, pool)
      } catch {
        return null
      }
    },
    canLook: ({ auth, provider }) => auth === 'oauth' && usageEndpoint(provider) !== null,
    async connects(baseUrl) {
      try {
        const { lookup, connect } = parts.upstreams.at(baseUrl)
        const { clock, upstreams } = parts
        return await reaches(baseUrl, { lookup, connect, clock, deadlineMs: upstreams.settings.connectMs })
      } catch {
        return false
      }
    },
  }
}

const unreached: Answer = { finding: 'inconclusive', outcome: silentOutcome('infra', 'connect') }

/** What the usage endpoint says of the login; its token goes where its requests go, and nowhere else. */
async function lookedAt(
  parts: ProbeDeps,
  credential: Lease['credential'],
  pool: LivePool['record'],
): Promise<Look | null> {
  const endpoint = usageEndpoint(credential.provider)
  const dialect = parts.dialectOf(pool)
  const baseUrl = credential.baseUrl ?? pool.upstream ?? dialect.defaultBaseUrl
  if (endpoint === null || baseUrl === null) return null
  const { injection } = await parts.credentials.material(credential)
  const headers = ['accept', 'application/json']
  dialect.inject(headers, injection)
  const { pathname } = new URL(endpoint.urlOf(baseUrl))
  const { transport } = parts.upstreams.at(baseUrl)
  const sent = { method: 'GET', path: pathname, headers, body: noBody }
  const { status, headers: raw, held } = await beginningOf(transport, sent, parts.clock)
  if (status !== 200 || !held.complete) return null
  const { text } = new Reading({ method: 'GET', status, headers: raw, oauth: true }, dialect).body(held)
  const look = text === null ? null : endpoint.read(JSON.parse(text), parts.clock.now())
  return look && look.usage.length > 0 ? look : null
}
