import { brotliDecompressSync, constants, gunzipSync, inflateRawSync, inflateSync, type ZlibOptions } from 'node:zlib'

/** An error body in the clear, or why it cannot be read. */
export type Decoded = { readonly bytes: Buffer } | { readonly unreadable: 'unknown-coding' | 'too-large' | 'corrupt' }

/**
 * The body without its content coding, of at most `limit` bytes: a few kilobytes can unpack to gigabytes, so the output
 * is bounded and nothing is returned beyond it.
 */
export function decodeBody(bytes: Buffer, coding: string | undefined, limit: number): Decoded {
  const name = (coding ?? 'identity').trim().toLowerCase()
  if (name === 'identity' || name === '') return { bytes }
  const unpack = unpackers[name]
  if (!unpack) return { unreadable: 'unknown-coding' }
  try {
    return { bytes: unpack(bytes, limit) }
  } catch (error) {
    const tooLarge = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'
    return { unreadable: tooLarge ? 'too-large' : 'corrupt' }
  }
}

type Unpack = (bytes: Buffer, maxOutputLength: number) => Buffer

const gzip: Unpack = (bytes, maxOutputLength) => gunzipSync(bytes, { maxOutputLength })

const unpackers: Readonly<Record<string, Unpack>> = {
  gzip,
  'x-gzip': gzip,
  br: (bytes, maxOutputLength) => brotliDecompressSync(bytes, { maxOutputLength }),
  deflate(bytes, maxOutputLength) {
    const options: ZlibOptions = { maxOutputLength, finishFlush: constants.Z_FINISH }
    // `deflate` means zlib (RFC 9110, 8.4.1.2), but some servers send the raw form; a zlib stream begins with method 8.
    return ((bytes[0] ?? 0) & 0x0f) === 8 ? inflateSync(bytes, options) : inflateRawSync(bytes, options)
  },
}
