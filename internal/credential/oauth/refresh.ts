import type { Clock } from '../../clock/clock.ts'
import { sleep } from '../../clock/clock.ts'
import type { Outbound } from '../../outbound/outbound.ts'
import type { At, Reason } from '../../pool/pool.ts'
import type { CredentialRecord, RefreshRecord } from '../../store/store.ts'
import type { Secret } from '../../vault/vault.ts'
import { Unreadable } from '../sources/holder.ts'
import type { Endpoint } from './endpoint.ts'
import { refreshFields } from './endpoint.ts'
import { type GrantResult, grant } from './grant.ts'
import type { Kept, TokenPlace } from './place.ts'
import type { Ledger } from './refresh-rows.ts'
import { digestOf, sameTokens, type TokenSet } from './tokens.ts'

/** Until the next attempt when none was made: a full disk, a missing setting. */
const notSentMs = 15_000
/** Until it is looked again what another replica has made of it. */
const notOursMs = 2_000
const backoffMs = { first: 5_000, most: 600_000 }
/**
 * How often a refused presenter looks whether the winner of a race has put its tokens down. `raced`: the server says that
 * somebody has used the token, who may take a while to write; `refused`: a login that is dead is the likelier reading,
 * and a request waits for the verdict.
 */
const looks = { raced: { most: 8, everyMs: 250 }, refused: { most: 3, everyMs: 100 } }

/** What one refresh came to. */
export type Refreshed =
  /** Others had refreshed: their tokens are taken over, nothing was presented. */
  | { readonly kind: 'adopted'; readonly tokens: TokenSet }
  /** `unsaved`: it could not be written and must be kept again. */
  | { readonly kind: 'granted'; readonly tokens: TokenSet; readonly unsaved: Kept | null }
  /** Nothing but a login helps. */
  | { readonly kind: 'dead'; readonly reason: Reason; readonly digest: string | null }
  /** `lost`: how often in a row this token was sent without an answer. */
  | { readonly kind: 'later'; readonly at: At; readonly why: string; readonly lost: number }

/** Everything that the refresh of one credential needs; the caller holds its lock. */
export interface RefreshDeps {
  readonly clock: Clock
  readonly random: () => number
  readonly record: CredentialRecord
  readonly place: TokenPlace
  readonly ledger: Ledger
  readonly outbound: Outbound
  /** Resolves to the endpoint and the client's secret; rejects with an Error that says what is missing. */
  readonly endpoint: () => Promise<{ endpoint: Endpoint; clientSecret: Secret | null }>
  /** Whether the lock still is held: a process that stood still may have lost it meanwhile. */
  readonly isOurs: () => boolean
  /** Whether others than spillway refresh from the same place. */
  readonly shared: boolean
}

/**
 * Refreshes the tokens once: re-read → durable intent → grant → swap. `stale` are the tokens that the caller knows and
 * wants to replace; others in their place are taken over, unless they have ended too.
 */
export async function refreshOnce(parts: RefreshDeps, stale: TokenSet | null): Promise<Refreshed> {
  const { clock, place, ledger, record, outbound } = parts
  const tokens = await place.read()
  const now = clock.now()
  if (stale && !sameTokens(tokens, stale) && isLive(tokens, now)) return { kind: 'adopted', tokens }
  const { refreshToken } = tokens
  const { row } = await ledger.read(record.id)
  const state = row ?? { id: record.id, generation: 1, intent: null, refused: null, failures: 0, nextAttemptAt: 0 }
  if (refreshToken === null) return { kind: 'dead', reason: 'auth-expired', digest: null }
  const digest = digestOf(refreshToken)
  if (state.refused?.digest === digest) return { kind: 'dead', reason: state.refused.reason, digest }
  const presented = state.intent?.digest === digest ? state.intent.presented : 0
  if (state.nextAttemptAt > now)
    return { kind: 'later', at: state.nextAttemptAt, why: 'the last attempt failed', lost: presented }
  const attempt = { parts, tokens, digest, presented, state }
  try {
    const asked = await parts.endpoint()
    await place.reserve()
    // From here on a crash leaves the token uncertain, and whoever comes next knows it.
    await ledger.write(
      { ...state, intent: { digest, startedAt: clock.now(), presented: presented + 1 } },
      row?.generation ?? null,
      [],
    )
    if (!parts.isOurs())
      return { kind: 'later', at: clock.now() + notOursMs, why: 'another replica may be refreshing', lost: presented }
    const { endpoint, clientSecret } = asked
    const fields = refreshFields(endpoint, { refreshToken, scope: tokens.scope, clientSecret })
    return await conclude(attempt, await grant(clock, { endpoint, fields, before: tokens, outbound }))
  } catch (error) {
    return { kind: 'later', at: clock.now() + notSentMs, why: messageOf(error), lost: presented }
  } finally {
    await place.release().catch(() => {})
  }
}

interface Attempt {
  readonly parts: RefreshDeps
  readonly tokens: TokenSet
  readonly digest: string
  /** How often the token had been presented before without an answer. */
  readonly presented: number
  readonly state: RefreshRecord
}

async function conclude(attempt: Attempt, result: GrantResult): Promise<Refreshed> {
  switch (result.kind) {
    case 'granted':
      return keep(attempt, result.tokens)
    case 'refused':
      return refused(attempt, result.raced)
    case 'passing':
    case 'lost':
      return later(attempt, result)
  }
}

async function keep({ parts, tokens, state }: Attempt, next: TokenSet): Promise<Refreshed> {
  const row: RefreshRecord = {
    id: state.id,
    generation: state.generation + 1,
    intent: null,
    refused: null,
    failures: 0,
    nextAttemptAt: 0,
  }
  const kept: Kept = { before: tokens, next, row, expected: state.generation, at: parts.clock.now() }
  try {
    const outcome = await parts.place.keep(kept)
    if (outcome.kind === 'theirs') return { kind: 'adopted', tokens: outcome.tokens }
    return { kind: 'granted', tokens: next, unsaved: null }
  } catch {
    return { kind: 'granted', tokens: next, unsaved: kept }
  }
}

async function refused({ parts, tokens, digest, state }: Attempt, raced: boolean): Promise<Refreshed> {
  const winner = await winnerOf(parts, tokens, looks[raced ? 'raced' : 'refused'])
  const { ledger, clock } = parts
  if (winner) {
    await ledger.write({ ...state, intent: null, failures: 0, nextAttemptAt: 0 }, state.generation, []).catch(() => {})
    return { kind: 'adopted', tokens: winner }
  }
  const reason = 'refresh-rejected'
  const row = { ...state, intent: null, refused: { digest, at: clock.now(), reason }, failures: 0 } as const
  await ledger.write(row, state.generation, []).catch(() => {})
  return { kind: 'dead', reason, digest }
}

/** The tokens that somebody else has put down instead of those that were refused; null when nobody has. */
async function winnerOf(
  parts: RefreshDeps,
  loser: TokenSet,
  { most, everyMs }: { most: number; everyMs: number },
): Promise<TokenSet | null> {
  for (let look = 0; look < (parts.shared ? most : 1); look++) {
    if (look > 0) await sleep(parts.clock, everyMs)
    try {
      const tokens = await parts.place.read()
      if (!sameTokens(tokens, loser)) return tokens
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error
    }
  }
  return null
}

async function later(
  { parts, digest, presented, state }: Attempt,
  result: Extract<GrantResult, { kind: 'passing' | 'lost' }>,
): Promise<Refreshed> {
  const { clock, random, ledger } = parts
  const now = clock.now()
  const lost = result.kind === 'lost' ? presented + 1 : presented
  const pause = Math.min(backoffMs.most, backoffMs.first * 2 ** state.failures) * (0.8 + 0.4 * random())
  const at = Math.round(now + Math.max(pause, (result.kind === 'passing' && result.retryAfterMs) || 0))
  const intent = lost > 0 ? { digest, startedAt: now, presented: lost } : null
  const row = { ...state, intent, failures: state.failures + 1, nextAttemptAt: at }
  await ledger.write(row, state.generation, []).catch(() => {})
  return { kind: 'later', at, why: result.why, lost }
}

/** Whether an access token can still be used. */
export function isLive(tokens: TokenSet, now: At): boolean {
  return tokens.expiresAt === null || tokens.expiresAt > now
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'the refresh failed'
}
