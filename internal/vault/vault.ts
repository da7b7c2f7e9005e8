/**
 * Secrets at rest and in memory: seals them with AES-256-GCM under a key file, and hands them out as `Secret`.
 */
export { Secret } from './secret.ts'

/** A sealed secret as it is stored: version, IV, ciphertext and tag, base64url. */
export type Sealed = string & { readonly sealed: unique symbol }
