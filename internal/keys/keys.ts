/**
 * Client keys: how they look, what is stored of them, and which key may use which pool.
 * A `Keyring` answers from memory for every request; the records themselves live in the Store.
 */
export { createKeyring, type KeyCheck, type Keyring } from './keyring.ts'
export { holdsKey, mintKey } from './mint.ts'
