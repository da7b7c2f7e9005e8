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

/** What a test found, as one sentence. */
export function testText({ name, finding, reason, status }: TestShape): string {
  const answer = status === null ? reason : `${status}, ${reason}`
  switch (finding) {
    case 'cleared':
      return `${name} is accepted by its upstream`
    case 'confirmed':
      return `${name} is rejected by its upstream (${answer})`
    case 'inconclusive':
      return `the upstream's answer says nothing about ${name} (${answer})`
  }
}
