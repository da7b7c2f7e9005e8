/** What is wrong with a key file (the first five) or with a sealed secret (the last three). */
export type VaultErrorCode =
  | 'missing' // there is no key file
  | 'exists' // there is one already, and it is never overwritten
  | 'exposed' // others than its owner may read or change it
  | 'wrong-length' // it does not hold 32 bytes
  | 'unreadable' // the system refuses
  | 'malformed' // not the form of a sealed secret
  | 'foreign-key' // sealed under another master key
  | 'not-authentic' // changed, or moved from another row

/** A key file or a sealed secret that cannot be used; asking again changes nothing before a person has acted. */
export class VaultError extends Error {
  override readonly name = 'VaultError'
  readonly code: VaultErrorCode
  /** What the operator can do, as a sentence. */
  readonly hint: string

  constructor(code: VaultErrorCode, message: string, hint: string) {
    super(message)
    this.code = code
    this.hint = hint
  }
}
