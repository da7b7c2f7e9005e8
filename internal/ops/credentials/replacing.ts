import { z } from 'zod'
import { Refusal } from '../../pool/pool.ts'
import type { CredentialRecord, Write } from '../../store/store.ts'
import { checkSecret, sealedSecret } from '../enrol.ts'
import { credentialNamed } from '../find.ts'
import { checkSource, givenSecret, isLogin, type NewSource, recorded, source } from '../source.ts'
import { type Call, known, verb } from '../verb.ts'
import { remarksOn } from './remarks.ts'

/** A key in the place of another, from wherever it comes from now on. */
export const credReplace = verb({
  method: 'PUT',
  path: '/v1/credentials/:name/secret',
  args: z.strictObject({ name: known, secret: givenSecret.optional(), source: source.optional() }),
  async run(call, { name, secret, source: given }): Promise<{ name: string; warnings: string[] }> {
    const { record } = credentialNamed(call.engine, name)
    if (record.auth === 'oauth')
      throw new Refusal('conflict', `${name} is a login, not a key`, `spillway cred login ${name}`)
    if ((secret === undefined) === (given === undefined))
      throw new Refusal('invalid', 'a new secret is given as secret, or by source, and not as both')
    const from: NewSource = given ?? { kind: 'vault', secret: secret as Exclude<typeof secret, undefined> }
    if (from.kind === 'vault') checkSecret(from.secret)
    else if (isLogin(from)) throw new Refusal('conflict', `${name} is a key, and that file holds a login`)
    const check = checkSource(from)
    if (check) await check
    await replace(call, record, from)
    return { name, warnings: await remarksOn(call, credentialNamed(call.engine, name).record) }
  },
})

async function replace(call: Call, before: CredentialRecord, from: NewSource): Promise<void> {
  const record = { ...before, source: sourceAfter(before, from) }
  const replacing = (generation: number): Write[] => {
    const rows = from.kind === 'vault' ? [sealedSecret(call, { owner: record.id, generation }, from.secret)] : []
    // Together with the generation, so that no request is sent with the old key and the blame of the new one.
    call.credentials.add([record], rows)
    return [
      { put: 'credential', row: record },
      { drop: 'secret', owner: record.id },
      ...rows.map((row) => ({ put: 'secret' as const, row })),
    ]
  }
  await call.engine.renewCredential(before.name, 'operator', replacing, call.actor)
  await call.credentials.ready()
}

/** A key that is given by hand goes on standing in for a variable whose copy was kept; any other source gives way to it. */
function sourceAfter({ source: before }: CredentialRecord, from: NewSource): CredentialRecord['source'] {
  const stays = from.kind === 'vault' && before.kind === 'env' && before.kept === true
  return stays ? before : recorded(from)
}
