import { codingOf, isPlain } from '../upstream/codings.ts'

/** An error body in the clear, or why it cannot be read. */
export type Decoded = { readonly bytes: Buffer } | { readonly unreadable: 'unknown-coding' | 'too-large' | 'corrupt' }

/**
 * The body without its content coding, of at most `limit` bytes: a few kilobytes can unpack to gigabytes, so the output
 * is bounded and nothing is returned beyond it.
 */
export function decodeBody(bytes: Buffer, coding: string | undefined, limit: number): Decoded {
  if (coding === undefined || isPlain(coding)) return { bytes }
  const known = codingOf(coding)
  if (!known) return { unreadable: 'unknown-coding' }
  try {
    return { bytes: known.unpack(bytes, limit) }
  } catch (error) {
    const tooLarge = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'
    return { unreadable: tooLarge ? 'too-large' : 'corrupt' }
  }
}
