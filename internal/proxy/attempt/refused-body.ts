import { decodeBody } from './decode.ts'
import type { Redactor } from './redact.ts'

/** What of an error body is read to understand it, in bytes. */
const maxText = 65_536

/** What a packed error body may unpack to; more is no error message but an attack. */
const maxUnpacked = 1_048_576

/** The body of an answer that refuses: what it says, and how it can be shown to a client. */
export class RefusedBody {
  /** The decoded text for the dialect, at most 64 KiB of it; null when it cannot be read. */
  readonly text: string | null
  /** It is packed in a way that we cannot look through, so it must not be shown either. */
  readonly unreadable: boolean
  readonly #bytes: Buffer
  readonly #plain: Buffer | null

  constructor(parts: readonly Buffer[], { coding, complete }: { coding: string | undefined; complete: boolean }) {
    this.#bytes = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)
    const packed = coding !== undefined && coding.trim().toLowerCase() !== 'identity'
    const decoded = packed && !complete ? null : decodeBody(this.#bytes, coding, maxUnpacked)
    this.#plain = decoded && 'bytes' in decoded ? decoded.bytes : null
    this.unreadable = this.#plain === null && this.#bytes.length > 0
    this.text = this.#plain === null ? null : this.#plain.subarray(0, maxText).toString()
  }

  /** The whole body without our secret: the upstream's own bytes, or their decoded form when those had to be changed. */
  clean(redactor: Redactor): { readonly bytes: Buffer; readonly decoded: boolean } {
    const plain = this.#plain ?? this.#bytes
    const decoded = plain !== this.#bytes && redactor.finds(plain)
    return { bytes: redactor.whole(decoded ? plain : this.#bytes), decoded }
  }
}
