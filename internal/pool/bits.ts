/**
 * A set of small integers with two levels, so that the next member after any point of 100,000 is found by looking at a
 * few words: level 0 has a bit per number, level 1 a bit per non-empty word of level 0.
 */
export class Bits {
  readonly #words: Uint32Array
  readonly #summary: Uint32Array
  readonly #size: number
  #count = 0

  constructor(size: number) {
    this.#size = size
    this.#words = new Uint32Array((size >>> 5) + 1)
    this.#summary = new Uint32Array((size >>> 10) + 1)
  }

  get count(): number {
    return this.#count
  }

  has(index: number): boolean {
    return ((this.#words[index >>> 5]! >>> (index & 31)) & 1) === 1
  }

  set(index: number, present: boolean): void {
    if (this.has(index) === present) return
    const word = index >>> 5
    this.#words[word]! ^= 1 << (index & 31)
    this.#count += present ? 1 : -1
    if (this.#words[word] === 0) this.#summary[word >>> 5]! &= ~(1 << (word & 31))
    else this.#summary[word >>> 5]! |= 1 << (word & 31)
  }

  /** The smallest element that is at least `from`, or -1. */
  from(from: number): number {
    if (from >= this.#size || this.#count === 0) return -1
    let word = from >>> 5
    const rest = this.#words[word]! & (-1 << (from & 31))
    if (rest !== 0) return (word << 5) + lowest(rest)
    word = next(this.#summary, word + 1)
    return word < 0 ? -1 : (word << 5) + lowest(this.#words[word]!)
  }

  /** The next element after `from - 1`, starting again at 0 after the end, or -1 when the set is empty. */
  around(from: number): number {
    const found = this.from(from)
    return found >= 0 ? found : this.from(0)
  }
}

function lowest(word: number): number {
  return 31 - Math.clz32(word & -word)
}

function next(summary: Uint32Array, from: number): number {
  let slot = from >>> 5
  if (slot >= summary.length) return -1
  let rest = summary[slot]! & (-1 << (from & 31))
  while (rest === 0) {
    slot++
    if (slot >= summary.length) return -1
    rest = summary[slot]!
  }
  return (slot << 5) + lowest(rest)
}
