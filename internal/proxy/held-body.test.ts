import { describe, expect, it } from 'vitest'
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
