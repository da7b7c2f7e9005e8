import type { Transform } from 'node:stream'
import * as zlib from 'node:zlib'

/** The parts of node:zlib that not every supported version has. */
interface Newer {
  readonly createZstdDecompress?: () => Transform
  readonly zstdDecompressSync?: (bytes: Buffer, options: zlib.ZlibOptions) => Buffer
}

const newer = zlib as unknown as Newer

/** How one content coding (RFC 9110, 8.4.1) is undone: at once, of at most so many bytes, or as it comes. */
interface Coding {
  unpack(bytes: Buffer, maxOutputLength: number): Buffer
  /** `first`: the first byte. */
  unpacker(first: number): Transform
}

const gzip: Coding = {
  unpack: (bytes, maxOutputLength) => zlib.gunzipSync(bytes, { maxOutputLength }),
  unpacker: () => zlib.createGunzip(),
}

const brotli: Coding = {
  unpack: (bytes, maxOutputLength) => zlib.brotliDecompressSync(bytes, { maxOutputLength }),
  unpacker: () => zlib.createBrotliDecompress(),
}

// `deflate` means zlib (RFC 9110, 8.4.1.2), but some servers send the raw form; a zlib stream begins with method 8.
const isZlib = (first: number): boolean => (first & 0x0f) === 8

const deflate: Coding = {
  unpack(bytes, maxOutputLength) {
    const options = { maxOutputLength, finishFlush: zlib.constants.Z_FINISH }
    return isZlib(bytes[0] ?? 0) ? zlib.inflateSync(bytes, options) : zlib.inflateRawSync(bytes, options)
  },
  unpacker: (first) => (isZlib(first) ? zlib.createInflate() : zlib.createInflateRaw()),
}

const codings = new Map<string, Coding>([
  ['gzip', gzip],
  ['x-gzip', gzip],
  ['br', brotli],
  ['deflate', deflate],
])

const { createZstdDecompress, zstdDecompressSync } = newer
if (createZstdDecompress && zstdDecompressSync) {
  codings.set('zstd', {
    unpack: (bytes, maxOutputLength) => zstdDecompressSync(bytes, { maxOutputLength }),
    unpacker: () => createZstdDecompress(),
  })
}

/** The coding of that name, in whatever case; undefined where it cannot be undone here. */
export function codingOf(name: string): Coding | undefined {
  return codings.get(name.trim().toLowerCase())
}

/** Whether a `Content-Encoding` leaves a body as it is. */
export function isPlain(coding: string | undefined): boolean {
  return coding === undefined || coding.trim() === '' || coding.trim().toLowerCase() === 'identity'
}
