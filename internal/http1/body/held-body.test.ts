import { describe, expect, it } from 'vitest'
import { bufferPool } from './buffer-pool.ts'
import { HeldBody } from './held-body.ts'

function held(pieces: readonly Buffer[]): HeldBody {
  const body = new HeldBody()
  for (const piece of pieces) body.add(piece)
  return body
}

const piece = (length: number, fill: string) => Buffer.alloc(length, fill)

describe('a held body', () => {
  it('without bytes is none', () => {
    expect([held([]).length, held([]).whole(), held([]).parts]).toEqual([0, null, []])
  })

  it('of one piece is that piece', () => {
    const only = piece(5, 'a')
    expect(held([only]).whole()).toBe(only)
  })

  it('keeps the order of long and short pieces', () => {
    const pieces = [piece(3, 'a'), piece(40_000, 'b'), piece(2, 'c'), piece(1, 'd'), piece(20_000, 'e'), piece(7, 'f')]
    const body = held(pieces)
    expect(body.whole()?.equals(Buffer.concat(pieces))).toBe(true)
    expect(body.length).toBe(60_013)
  })

  it('puts short pieces together, so that a body that comes byte by byte takes little more than its bytes', () => {
    const body = held(Array.from({ length: 200_000 }, (_, at) => piece(1, String(at % 10))))
    expect(body.parts.length).toBeLessThan(10)
    expect(body.whole()?.subarray(99_990, 100_010).toString()).toBe('01234567890123456789')
  })

  it('of long and tiny pieces in turn takes little more than its bytes', () => {
    const { parts } = held(Array.from({ length: 1_000 }, (_, at) => piece(at % 2 === 0 ? 16_384 : 1, 'x')))
    const memory = new Set(parts.map(({ buffer }) => buffer))
    const bytes = [...memory].reduce((sum, { byteLength }) => sum + byteLength, 0)
    expect(bytes).toBeLessThan(1.5 * 500 * 16_384)
  })
})

describe('the memory of a held body', () => {
  const lent = (length: number, pieceLength: number, fill: string) => {
    const body = new HeldBody(length)
    const buffer = Buffer.alloc(pieceLength)
    for (let at = 0; at < length; at += pieceLength) {
      const part = buffer.subarray(0, Math.min(pieceLength, length - at)).fill(fill)
      body.add(part, 'lent')
      body.keep()
      // Whoever has lent it goes on to use it.
      part.fill('!')
    }
    return body
  }
  const memoryOf = (body: HeldBody) => new Set(body.parts.map(({ buffer }) => buffer))
  const text = (body: HeldBody) => body.whole()?.toString() ?? ''

  it.each([10, 8_192, 8_193, 40_000, 65_536, 200_000])('of %i lent bytes is its own', (length) => {
    for (const pieceLength of [7, 1_000, 65_536]) {
      const body = lent(length, pieceLength, 'a')
      expect([body.length, text(body)]).toEqual([length, 'a'.repeat(length)])
    }
  })

  it.each(['text', 'parts', 'whole'] as const)('of a short piece is its own as soon as anybody sees it (%s)', (how) => {
    const buffer = Buffer.from('one body')
    const body = new HeldBody(8)
    body.add(buffer, 'lent')
    const seen = how === 'whole' ? body.whole() : body[how]
    buffer.fill('!')
    expect(String(seen)).toBe('one body')
    expect([body.length, text(body)]).toEqual([8, 'one body'])
  })

  it('of a short piece that nobody has seen is gone with its release', () => {
    const body = new HeldBody(8)
    body.add(Buffer.from('one body'), 'lent')
    body.release()
    expect(body.text).toBeNull()
    expect(() => body.parts).toThrow('released')
  })

  it('of a short piece keeps every byte', () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, at) => at))
    const body = new HeldBody(256)
    body.add(bytes, 'lent')
    expect(Buffer.from(body.text ?? '', 'latin1')).toEqual(bytes)
    expect(body.whole()).toEqual(bytes)
  })

  it('is used again after its release, and only then', () => {
    const first = lent(200_000, 65_536, 'a')
    const memory = memoryOf(first)
    const second = lent(200_000, 65_536, 'b')
    expect([...memoryOf(second)].some((each) => memory.has(each))).toBe(false)
    expect(text(first)).toBe('a'.repeat(200_000))
    first.release()
    first.release()
    const third = lent(200_000, 65_536, 'c')
    const fourth = lent(200_000, 65_536, 'd')
    expect([...memoryOf(third)].some((each) => memory.has(each))).toBe(true)
    expect([text(second), text(third), text(fourth)]).toEqual(['b', 'c', 'd'].map((each) => each.repeat(200_000)))
    expect(() => first.parts).toThrow('released')
  })

  it('is not used again while a connection sends from it, and never if that one does not say that it has', () => {
    const body = lent(200_000, 65_536, 'a')
    const memory = memoryOf(body)
    body.sending()
    body.sending()
    body.release()
    body.sent()
    expect([...memoryOf(lent(200_000, 65_536, 'b'))].some((each) => memory.has(each))).toBe(false)
    expect(text(body)).toBe('a'.repeat(200_000))
    body.sent()
    expect([...memoryOf(lent(200_000, 65_536, 'c'))].some((each) => memory.has(each))).toBe(true)
  })

  it('that was given as bufferPool comes back once each', () => {
    const body = new HeldBody(131_072)
    for (const fill of ['a', 'b']) body.add(bufferPool.take(65_536).fill(fill).subarray(0, 65_000), 'pooled')
    body.add(Buffer.alloc(1_072, 'c'), 'lent')
    expect(text(body)).toBe('a'.repeat(65_000) + 'b'.repeat(65_000) + 'c'.repeat(1_072))
    body.release()
    const taken = Array.from({ length: 300 }, () => bufferPool.take(65_536).buffer)
    expect(new Set(taken).size).toBe(300)
  })
})
