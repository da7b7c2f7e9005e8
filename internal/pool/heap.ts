/** A priority queue of small integers, smallest key first; an element's key can be changed or taken out in O(log n). */
export class IndexedHeap {
  readonly #heap: Int32Array
  readonly #place: Int32Array
  readonly #keys: Float64Array
  #size = 0

  constructor(capacity: number) {
    this.#heap = new Int32Array(capacity)
    this.#place = new Int32Array(capacity).fill(-1)
    this.#keys = new Float64Array(capacity)
  }

  get size(): number {
    return this.#size
  }

  /** The element with the smallest key (the smaller number on a tie), or -1. */
  get first(): number {
    return this.#size === 0 ? -1 : this.#heap[0]!
  }

  has(element: number): boolean {
    return this.#place[element]! >= 0
  }

  key(element: number): number {
    return this.#keys[element]!
  }

  /** Puts the element at its new key, adding it when it is not there. */
  put(element: number, key: number): void {
    if (this.#place[element]! < 0) {
      this.#place[element] = this.#size
      this.#heap[this.#size++] = element
    } else if (this.#keys[element] === key) return
    this.#keys[element] = key
    this.#down(this.#up(this.#place[element]!))
  }

  remove(element: number): void {
    const place = this.#place[element]!
    if (place < 0) return
    this.#place[element] = -1
    const last = this.#heap[--this.#size]!
    if (last === element) return
    this.#heap[place] = last
    this.#place[last] = place
    this.#down(this.#up(place))
  }

  /** The element with the smallest key among those that `fits`, or -1. Costs a scan unless the first one fits. */
  firstThat(fits: (element: number) => boolean): number {
    if (this.#size === 0 || fits(this.#heap[0]!)) return this.first
    let best = -1
    for (let i = 1; i < this.#size; i++) {
      const element = this.#heap[i]!
      if ((best < 0 || this.#before(element, best)) && fits(element)) best = element
    }
    return best
  }

  #before(a: number, b: number): boolean {
    const difference = this.#keys[a]! - this.#keys[b]!
    return difference < 0 || (difference === 0 && a < b)
  }

  #up(start: number): number {
    let place = start
    while (place > 0) {
      const parent = (place - 1) >> 1
      if (!this.#swapIfBefore(place, parent)) break
      place = parent
    }
    return place
  }

  #down(start: number): void {
    let place = start
    for (;;) {
      const left = 2 * place + 1
      if (left >= this.#size) return
      const right = left + 1
      const child = right < this.#size && this.#before(this.#heap[right]!, this.#heap[left]!) ? right : left
      if (!this.#swapIfBefore(child, place)) return
      place = child
    }
  }

  #swapIfBefore(lower: number, upper: number): boolean {
    const a = this.#heap[lower]!
    const b = this.#heap[upper]!
    if (!this.#before(a, b)) return false
    this.#heap[lower] = b
    this.#heap[upper] = a
    this.#place[b] = lower
    this.#place[a] = upper
    return true
  }
}
