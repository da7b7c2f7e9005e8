import type { CredentialShape, TestShape } from '../ops/ops.ts'
import { localTime, relative } from './when.ts'

/** Where the secret comes from, in short. */
export function sourceText(source: CredentialShape['source']): string {
  switch (source.kind) {
    case 'vault':
      return 'vault'
    case 'env':
      return `$${source.variable}${source.kept ? ' (kept sealed)' : ''}`
    case 'file':
      return source.path
    case 'command':
      return `command: ${source.command}`
  }
}

/** Whose credential it is, in short; null when it does not say. */
export function identityText(of: CredentialShape['identity']): string | null {
  const { account, accountId, plan, fingerprint, ending } = of
  if (fingerprint !== null) return ending === null ? fingerprint : `…${ending} ${fingerprint}`
  const who = account ?? accountId
  return who === null ? plan : `${who}${plan === null ? '' : ` (${plan})`}`
}

/** One credential as lines of label and text. */
export function facts(one: CredentialShape, now: number): [string, string][] {
  const { health } = one
  const reason = health.reason === null || health.reason === health.state ? '' : ` (${health.reason})`
  const until = health.until === null ? '' : ` until ${localTime(health.until, now)} (${relative(health.until, now)})`
  return [
    ['name', one.name],
    ['provider', one.provider],
    ['base URL', one.baseUrl ?? "the pool's or the provider's own"],
    ['shape', one.shape ?? 'any that its provider offers'],
    ['domain', one.domain ?? '-'],
    ['header', one.header ?? "the provider's own"],
    ['source', sourceText(one.source)],
    ...identityFacts(one.identity),
    ['kind', one.login === null ? one.auth : `${one.auth} (${one.login})`],
    ['health', `${health.state}${reason}${until}`],
    ...(one.problem === null ? [] : ([['problem', one.problem]] satisfies [string, string][])),
    // What cannot be read is sent to this very view: its problem says what to mend.
    ...(one.command === null || health.state === 'unreadable'
      ? []
      : ([['to mend', one.command]] satisfies [string, string][])),
    ...(one.endsAt === null
      ? []
      : ([['token ends', `${localTime(one.endsAt, now)} (${relative(one.endsAt, now)})`]] satisfies [
          string,
          string,
        ][])),
    ['pools', one.pools.join(', ') || '-'],
    ['created', `${localTime(one.createdAt, now)} (${relative(one.createdAt, now)})`],
  ]
}

function identityFacts(of: CredentialShape['identity']): [string, string][] {
  const rows: [string, string | null][] = [
    ['account', of.account],
    ['account id', of.accountId],
    ['plan', of.plan],
    ['key', of.ending === null ? null : `…${of.ending}`],
    ['fingerprint', of.fingerprint],
  ]
  return rows.flatMap(([label, text]): [string, string][] => (text === null ? [] : [[label, text]]))
}

/** What a test found, as one sentence. */
export function testText(found: TestShape): string {
  const { name, finding, asked } = found
  if (found.problem !== null || asked === null) return unansweredText(found)
  switch (finding) {
    case 'cleared':
      return found.status === null ? `${name} was refreshed: it is valid` : `${name} is accepted by its upstream`
    case 'confirmed':
      return `${name} is rejected by its upstream (${answerOf(found)})`
    case 'inconclusive':
      return `the upstream's answer to ${asked} says nothing about ${name} (${answerOf(found)})`
  }
}

/** The same about a credential that has just been added, with what to do. */
export function checkText(found: TestShape): string {
  const { name, finding, asked, problem } = found
  if (finding === 'cleared') return `its upstream accepts it (${asked})`
  if (finding === 'confirmed')
    return `its upstream rejects it (${answerOf(found)}). It is kept: spillway cred replace ${name} gives it another secret, spillway cred remove ${name} forgets it`
  const again = `spillway cred test ${name} asks again`
  if (problem !== null || asked === null) return `${unansweredText(found)}; ${again}`
  return `${testText(found)}; ${again}`
}

function unansweredText({ name, asked, problem }: TestShape): string {
  if (problem === null)
    return `${name} was not asked about: its provider has no free request that every credential may make`
  return asked === null ? `${name} was not asked about: ${problem}` : `nobody answered ${asked}: ${problem}`
}

function answerOf({ status, reason }: TestShape): string {
  return status === null ? reason : `${status}, ${reason}`
}
