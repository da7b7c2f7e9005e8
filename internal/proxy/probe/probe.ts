import type { Clock } from '../../clock/clock.ts'
import { type Credentials, type Material, NoMaterial } from '../../credential/credential.ts'
import { type Dialect, type Spoken, spokenTo } from '../../dialect/dialect.ts'
import type { Checker, Lease, LivePool, Probed, Prober } from '../../engine/engine.ts'
import { noBody } from '../../http1/http1.ts'
import type { Outcome, Reason } from '../../pool/pool.ts'
import { Reading } from '../attempt/reading.ts'
import { whyUnreached } from '../upstream/unreached.ts'
import type { Upstreams } from '../upstream/upstreams.ts'
import { beginningOf } from './beginning.ts'

/** What a probe needs of the proxy. */
export interface ProbeDeps {
  readonly credentials: Credentials
  dialectOf(of: Spoken): Dialect
  readonly upstreams: Upstreams
  readonly clock: Clock
}

/**
 * The canonical probe: one cheap request with the credential alone, so that nothing of a client can influence what it
 * finds. The probe of an OAuth credential is its refresh.
 */
export function createProber(parts: ProbeDeps): Prober & Checker {
  return {
    async probe(credential, pool) {
      if (credential.auth !== 'oauth') return asked(parts, credential, pool, () => freshMaterial(parts, credential))
      try {
        return await refreshed(parts, credential)
      } catch (error) {
        return unasked('a refresh of its token', error)
      }
    },
    check: (credential, pool) => asked(parts, credential, pool, () => parts.credentials.material(credential)),
  }
}

async function refreshed({ credentials }: ProbeDeps, credential: Lease['credential']): Promise<Probed> {
  const { generation } = await credentials.material(credential)
  switch (await credentials.renew(credential, generation)) {
    case 'renewed':
      return { finding: 'cleared', reason: 'ok', status: null, asked: 'a refresh of its token' }
    case 'needs-login':
      return { finding: 'confirmed', reason: 'refresh-rejected', status: null, asked: 'a refresh of its token' }
    case 'unavailable':
      return { ...inconclusive('auth-expired', null), asked: 'a refresh of its token' }
  }
}

async function asked(
  parts: ProbeDeps,
  credential: Lease['credential'],
  pool: LivePool['record'],
  material: Question['material'],
): Promise<Probed> {
  const request = requestOf(parts, { credential, pool })
  const shown = request && `${request.method} ${request.baseUrl.replace(/\/+$/, '')}${request.path}`
  try {
    const outcome = await answered(parts, { credential, pool, material })
    return { ...(outcome ? findingOf(outcome) : inconclusive('auth-rejected', null)), asked: shown }
  } catch (error) {
    return unasked(shown, error)
  }
}

/** What it means that there was no secret to ask with, or no answer. */
function unasked(shown: string | null, error: unknown): Probed {
  if (error instanceof NoMaterial) return { ...inconclusive(error.reason, null), asked: null, problem: error.message }
  return { ...inconclusive('connect', null), asked: shown, problem: whyUnreached(error) }
}

/** The credential that is asked about, the pool whose settings apply, and where the secret comes from. */
interface Question {
  readonly credential: Lease['credential']
  readonly pool: LivePool['record']
  readonly material: () => Material | Promise<Material>
}

/** The outcome of the canonical request; null when the provider has no canonical request. Rejects when there is no answer. */
export async function answered(parts: ProbeDeps, { credential, pool, material }: Question): Promise<Outcome | null> {
  const dialect = parts.dialectOf(spokenTo(pool, credential.provider))
  const request = requestOf(parts, { credential, pool })
  if (request === null) return null
  const { injection } = await material()
  const headers = ['accept', 'application/json']
  dialect.inject(headers, injection)
  const { method, path, baseUrl } = request
  const { transport, pathOf } = parts.upstreams.at(baseUrl)
  const sent = { method, path: pathOf(path), headers, body: noBody }
  const { status, headers: raw, held } = await beginningOf(transport, sent, parts.clock)
  return new Reading({ method, status, headers: raw, oauth: false }, dialect).conclude(held, parts.clock.now())
}

/** The canonical request, and the base address that it goes to; null when there is none. */
function requestOf(parts: ProbeDeps, { credential, pool }: Omit<Question, 'material'>) {
  const dialect = parts.dialectOf(spokenTo(pool, credential.provider))
  const isOwn = credential.provider === pool.provider
  const baseUrl = credential.baseUrl ?? (isOwn ? pool.upstream : null) ?? dialect.defaultBaseUrl
  const request = baseUrl === null ? null : dialect.probe(baseUrl, isOwn ? pool.probePath : null)
  return baseUrl === null || request === null ? null : { ...request, baseUrl }
}

/** A key that is questioned may have been replaced where it comes from: there it is looked at again first. */
async function freshMaterial({ credentials }: ProbeDeps, credential: Lease['credential']): Promise<Material> {
  const known = await credentials.material(credential)
  const { kind } = credential.source
  if (kind !== 'command' && kind !== 'file') return known
  return (await credentials.renew(credential, known.generation)) === 'renewed'
    ? credentials.material(credential)
    : known
}

/**
 * What the outcome of a probe says about the credential: `cleared` by an accepted request; `confirmed` by an explicit word about
 * the credential, or by a 401, because the probe carries nothing but the credential; otherwise `inconclusive`.
 */
export function findingOf({ kind, evidence, reason, status }: Outcome): Probed {
  if (kind === 'success') return { finding: 'cleared', reason: 'ok', status }
  if (kind === 'auth-rejected' && (evidence === 'strong' || status === 401))
    return { finding: 'confirmed', reason, status }
  return inconclusive(reason, status)
}

function inconclusive(reason: Reason, status: number | null): Probed {
  return { finding: 'inconclusive', reason, status }
}
