import { describe, expect, test } from 'vitest'
import { credentialRecord, poolRecord } from '../../test/fakes/rig/records.ts'
import { pristine } from '../pool/pool.ts'
import type { Snapshot } from '../store/store.ts'
import { differenceTo } from './difference.ts'

const empty: Snapshot = {
  ...{ credentials: [], states: [], pools: [], poolStates: [], seats: [] },
  ...{ domains: [], hosts: [], keys: [], secrets: [], suppressed: [], meta: {} },
}

describe('the difference of a memory to a snapshot', () => {
  test('is everything that the snapshot has', () => {
    const credential = credentialRecord({ name: 'work', provider: 'openai' })
    const pool = poolRecord({ name: 'openai', provider: 'openai', upstream: null })
    const state = { id: credential.id, generation: 1, health: pristine, scoped: [] }
    const snapshot = { ...empty, credentials: [credential], states: [state], pools: [pool] }
    expect(differenceTo(snapshot, { credentials: [], pools: [] })).toEqual([
      { put: 'credential', row: credential },
      { put: 'credential-state', row: state },
      { put: 'pool', row: pool },
    ])
  })

  test('is without what the snapshot has not', () => {
    const credential = credentialRecord({ name: 'work', provider: 'openai' })
    const pool = poolRecord({ name: 'openai', provider: 'openai', upstream: null })
    const memory = {
      credentials: ['id-work', 'id-gone'],
      pools: [
        { name: 'openai', members: ['id-work', 'id-gone'] },
        { name: 'old', members: ['id-work'] },
      ],
    }
    const writes = differenceTo({ ...empty, credentials: [credential], pools: [pool] }, memory)
    expect(writes.filter((write) => 'drop' in write)).toEqual([
      { drop: 'pool', name: 'old' },
      { drop: 'credential', id: 'id-gone' },
      { drop: 'seat', pool: 'openai', credentialId: 'id-work' },
    ])
  })
})
