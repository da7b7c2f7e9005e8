/** Random choices that a seed repeats (sfc32: small, fast, and equal on every Node). */
export class Random {
  readonly seed: number
  #a: number
  #b: number
  #c: number
  #count = 1

  constructor(seed: number) {
    this.seed = seed >>> 0
    this.#a = 0x9e3779b9
    this.#b = this.seed ^ 0x243f6a88
    this.#c = Math.imul(this.seed, 0x85ebca6b)
    for (let at = 0; at < 12; at++) this.next()
  }

  /** 32 random bits. */
  next(): number {
    const sum = (this.#a + this.#b + this.#count++) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0
    return sum >>> 0
  }

  /** A whole number from 0 to `limit` - 1. */
  below(limit: number): number {
    return this.next() % limit
  }

  /** A whole number from `least` to `most`. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1)
  }

  chance(share: number): boolean {
    return this.next() < share * 0x1_0000_0000
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T
  }

  /** One of the values, each as often as its weight says. */
  weighted<T>(list: readonly (readonly [weight: number, value: T])[]): T {
    let left = this.below(list.reduce((sum, [weight]) => sum + weight, 0))
    for (const [weight, value] of list) {
      left -= weight
      if (left < 0) return value
    }
    throw new Error('no weights')
  }

  /** `count` different places in a text of that length, in order, neither its beginning nor its end. */
  cuts(length: number, count: number): number[] {
    const places = new Set<number>()
    for (let at = 0; at < count && length > 1; at++) places.add(this.between(1, length - 1))
    return [...places].sort((one, other) => one - other)
  }

  /** Text of that length, in lower-case letters. */
  text(length: number): string {
    const word = `${this.next().toString(36)}${this.next().toString(36)}abcdef`
    return word.repeat(Math.ceil(length / word.length)).slice(0, length)
  }
}
