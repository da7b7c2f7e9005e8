import { describe, expect, it, test } from 'vitest'
import { closeFrame, type Found, FrameReader, payloadOf } from './frames.ts'

/** A server's frame; `first` is its first byte, and `mask` sets the bit that only clients may set. */
function frame(first: number, payload: Buffer | string, mask = 0): Buffer {
  const bytes = Buffer.from(payload)
  const { length } = bytes
  if (length < 126) return Buffer.concat([Buffer.from([first, mask | length]), bytes])
  const head = Buffer.alloc(length < 65_536 ? 4 : 10)
  head[0] = first
  head[1] = mask | (length < 65_536 ? 126 : 127)
  if (length < 65_536) head.writeUInt16BE(length, 2)
  else head.writeBigUInt64BE(BigInt(length), 2)
  return Buffer.concat([head, bytes])
}

const text = 0x81
const readable = (found: readonly Found[]) =>
  found.map((one) => (one.kind === 'text' ? payloadOf(one).toString() : one.kind))

describe('the frames of a server', () => {
  const long = 'y'.repeat(70_000)
  it.each([
    ['a short text', frame(text, 'hello'), ['hello']],
    ['an empty text', frame(text, ''), ['']],
    ['a text of 126 bytes', frame(text, 'x'.repeat(126)), ['x'.repeat(126)]],
    ['a text of more than 64 KiB', frame(text, long), [long]],
    ['a binary message', frame(0x82, 'hello'), ['data']],
    ['a fragmented text', Buffer.concat([frame(0x01, 'he'), frame(0x80, 'llo')]), ['hello']],
    [
      'a text with a ping inside',
      Buffer.concat([frame(0x01, 'he'), frame(0x89, 'p'), frame(0x80, 'llo')]),
      ['control', 'hello'],
    ],
    ['a binary message in fragments', Buffer.concat([frame(0x02, 'he'), frame(0x80, 'llo')]), ['data', 'data']],
    ['a ping and a pong', Buffer.concat([frame(0x89, 'p'), frame(0x8a, '')]), ['control', 'control']],
    ['a close', closeFrame(1_000, 'bye'), ['close']],
    ['several in a row', Buffer.concat([frame(text, 'a'), frame(0x89, ''), frame(text, 'b')]), ['a', 'control', 'b']],
  ])('%s is understood whole and byte by byte', (_name, bytes, expected) => {
    expect(readable(new FrameReader().push(bytes))).toEqual(expected)
    const slow = new FrameReader()
    const found = [...bytes].flatMap((byte) => slow.push(Buffer.from([byte])))
    expect(readable(found)).toEqual(expected)
    expect(slow.atBoundary).toBe(true)
  })

  it('have a boundary only between them', () => {
    const reader = new FrameReader()
    const bytes = frame(text, 'x'.repeat(200))
    const boundaries = [...bytes].map((byte) => {
      reader.push(Buffer.from([byte]))
      return reader.atBoundary
    })
    expect(boundaries.indexOf(true)).toBe(bytes.length - 1)
  })

  it.each([
    ['masked', frame(text, 'hello', 0x80)],
    ['compressed', frame(0xc1, 'hello')],
    ['impossibly long', Buffer.from([text, 127, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1])],
  ])('that are %s end the reading for good, without a boundary', (_name, bytes) => {
    const reader = new FrameReader()
    expect(readable(reader.push(bytes))).toEqual(['data'])
    expect(reader.push(frame(text, '{"type":"error"}'))).toEqual([])
    expect(reader.atBoundary).toBe(false)
  })
})

test('a Close frame carries its status and a reason that fits', () => {
  expect([...closeFrame(1_012, 'hi')]).toEqual([0x88, 4, 0x03, 0xf4, 0x68, 0x69])
  expect(closeFrame(1_012, 'x'.repeat(500))).toHaveLength(2 + 125)
})

test('a text of more than 4 MiB is not read, in one frame or in many', () => {
  const half = Buffer.alloc(2_500_000, 'x')
  expect(readable(new FrameReader().push(frame(text, Buffer.concat([half, half]))))).toEqual(['data'])
  expect(readable(new FrameReader().push(Buffer.concat([frame(0x01, half), frame(0x80, half)])))).toEqual(['data'])
})

test('a text tells where in its chunk it began, unless that was before', () => {
  const reader = new FrameReader()
  const second = frame(text, 'second')
  const where = (found: readonly Found[]) => found.map((one) => (one.kind === 'text' ? one.at : one.kind))
  expect(where(reader.push(Buffer.concat([frame(text, 'first'), second])))).toEqual([0, 7])
  expect(where(reader.push(second.subarray(0, 3)))).toEqual([])
  expect(where(reader.push(second.subarray(3)))).toEqual([null])
})
