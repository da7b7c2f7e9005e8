import { Refusal } from '../pool/pool.ts'
import type { Client } from './clients.ts'

interface Candidate {
  readonly name: string
  readonly provider: string
  readonly shape: string
}

/**
 * The pool that a client is to be pointed at: the named one, else the only one of the client's own provider, else the only
 * one that it can talk to. Refuses a pool that it cannot talk to, and a choice that is a person's, with the candidates.
 */
export function fittingPool<P extends Candidate>(client: Client, pools: readonly P[], wanted: string | null): P {
  const fitting = pools.filter((pool) => client.fits(pool))
  if (wanted !== null) {
    const found = fitting.find(({ name }) => name === wanted)
    if (found) return found
    throw unfit(client, { wanted, pools, fitting })
  }
  const own = client.providers.map((names) => fitting.filter(({ provider }) => names.includes(provider)))
  const candidates = own.find((each) => each.length > 0) ?? fitting
  const [only, ...others] = candidates
  if (only && others.length === 0) return only
  if (!only) throw nothingFits(client)
  const names = candidates.map(({ name, provider }) => `${name} (${provider})`)
  throw new Refusal(
    'invalid',
    `${client.title} can be connected to several pools: ${names.join(', ')}`,
    `spillway connect ${client.name} --pool ${only.name}`,
  )
}

function unfit(
  client: Client,
  { wanted, pools, fitting }: { wanted: string; pools: readonly Candidate[]; fitting: readonly Candidate[] },
): Refusal {
  const other = pools.find(({ name }) => name === wanted)
  const names = fitting.map(({ name }) => name).join(', ')
  const hint = names === '' ? makeOne(client) : `${client.title} can use ${names}`
  if (!other) return new Refusal('not-found', `no pool named ${wanted}`, hint)
  const { provider, shape } = other
  return new Refusal('conflict', `${client.title} cannot use ${wanted}, a pool of ${provider} (${shape}'s API)`, hint)
}

function nothingFits(client: Client): Refusal {
  return new Refusal('not-found', `there is no pool that ${client.title} can use`, makeOne(client))
}

function makeOne({ providers: [[provider = ''] = []] }: Client): string {
  return `spillway pool create ${provider} --provider ${provider} --members NAME`
}
