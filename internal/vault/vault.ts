/**
 * Secrets at rest and in memory: seals them with AES-256-GCM under a key file, and hands them out as `Secret`.
 * One `Vault` is opened from the bytes of the key file; from then on nothing here touches the disk.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { VaultError } from './fault.ts'
import { keyBytes } from './keyfile.ts'
import { Secret } from './secret.ts'
import { sign } from './signature.ts'

export { VaultError, type VaultErrorCode } from './fault.ts'
export { unquoted } from './given.ts'
export { checkKeyFile, createKeyFile, readKeyFile, replaceKeyFile } from './keyfile.ts'
export { Secret } from './secret.ts'
export { isSignedBy, sign } from './signature.ts'

/** A sealed secret as it is stored: `v1.<id of the master key>.<IV, ciphertext and tag in base64url>`. */
export type Sealed = string & { readonly sealed: unique symbol }

/** The row that a sealed secret belongs to; it opens in no other. */
export interface SealContext {
  readonly owner: string
  readonly field: string
  readonly generation: number
}

const ivBytes = 12
const tagBytes = 16
const form = /^v1\.([0-9a-f]{16})\.([A-Za-z0-9_-]+)$/

/**
 * Seals and opens secrets under one master key. Each owner has a data key of its own, derived with HKDF-SHA256 from the
 * master key and the owner's id. Derived and not wrapped, because a wrapped key is one more row that can be lost, swapped
 * or left behind by a crash, and gains nothing while the master key lies on the same machine. The id of the master key is
 * part of what is sealed, so that wrapping can be added beside it.
 */
export class Vault {
  /** Names the master key without telling it: 16 hexadecimal digits. */
  readonly keyId: string
  readonly #master: Uint8Array

  /** `master` is the content of the key file, 32 bytes. */
  constructor(master: Uint8Array) {
    if (master.length !== keyBytes) throw new RangeError(`a master key has ${keyBytes} bytes`)
    this.#master = Uint8Array.from(master)
    this.keyId = Buffer.from(this.#derive('key id')).toString('hex').slice(0, 16)
  }

  /** The secret, encrypted with a fresh IV and bound to its row. */
  seal(secret: Secret, context: SealContext): Sealed {
    const iv = randomBytes(ivBytes)
    const cipher = createCipheriv('aes-256-gcm', this.#dataKey(context.owner), iv)
    cipher.setAAD(this.#binding(context))
    const body = Buffer.concat([iv, cipher.update(secret.reveal(), 'utf8'), cipher.final(), cipher.getAuthTag()])
    return `v1.${this.keyId}.${body.toString('base64url')}` as Sealed
  }

  /** The secret of that row; throws a VaultError when it was sealed by another key, for another row, or was changed. */
  open(sealed: Sealed, context: SealContext): Secret {
    const [, keyId, encoded] = form.exec(sealed) ?? []
    const body = Buffer.from(encoded ?? '', 'base64url')
    if (keyId === undefined || body.length < ivBytes + tagBytes) throw malformed(context)
    if (keyId !== this.keyId) throw foreign(context, keyId, this.keyId)
    const decipher = createDecipheriv('aes-256-gcm', this.#dataKey(context.owner), body.subarray(0, ivBytes))
    decipher.setAAD(this.#binding(context))
    decipher.setAuthTag(body.subarray(-tagBytes))
    try {
      const plain = Buffer.concat([decipher.update(body.subarray(ivBytes, -tagBytes)), decipher.final()])
      return new Secret(plain.toString('utf8'))
    } catch {
      throw forged(context)
    }
  }

  /** 8 hexadecimal digits that are the same for the same secret under this master key, and tell nothing of it. */
  fingerprint(secret: Secret): string {
    return sign(this.#derive('fingerprint'), secret.reveal()).slice(0, 8)
  }

  /** The 32-byte key that signs the head of the audit chain (see `sign`); it opens no secret. */
  auditKey(): Uint8Array {
    return this.#derive('audit signature')
  }

  #dataKey(owner: string): Uint8Array {
    return this.#derive(`data key:${owner}`)
  }

  #derive(label: string): Uint8Array {
    return new Uint8Array(hkdfSync('sha256', this.#master, '', `spillway v1 ${label}`, 32))
  }

  /** JSON and not a joined string, so that no two contexts can be spelled alike. */
  #binding({ owner, field, generation }: SealContext): Buffer {
    return Buffer.from(JSON.stringify([owner, field, generation, this.keyId]))
  }
}

function malformed({ owner, field }: SealContext): VaultError {
  return new VaultError('malformed', `the stored ${field} of ${owner} is not a sealed secret`, again)
}

function foreign({ owner, field }: SealContext, theirs: string, ours: string): VaultError {
  const message = `the ${field} of ${owner} was sealed under master key ${theirs}, and this one is ${ours}`
  return new VaultError('foreign-key', message, 'Put back the key file that belongs to this data directory.')
}

function forged({ owner, field }: SealContext): VaultError {
  return new VaultError('not-authentic', `the stored ${field} of ${owner} was changed or belongs to another row`, again)
}

const again = 'Store the secret again with a login, or remove the credential and add it again.'
