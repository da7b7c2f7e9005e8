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

  /**
   * The element with the smallest key, at most `most`, among those that `fits`, or -1. Looks at no more than the misfits
   * before it and their children.
   */
  firstThat(fits: (element: number) => boolean, most = Number.POSITIVE_INFINITY): number {
    let best = -1
    const places = [0]
    for (let place = places.pop(); place !== undefined; place = places.pop()) {
      if (place >= this.#size) continue
      const element = this.#heap[place]!
      if (this.#keys[element]! > most || (best >= 0 && !this.#before(element, best))) continue
      if (fits(element)) best = element
      else places.push(2 * place + 1, 2 * place + 2)
    }
    return best
  }

  #before(a: number, b: number): boolean {
    const [keyOfA, keyOfB] = [this.#keys[a]!, this.#keys[b]!]
    return keyOfA < keyOfB || (keyOfA === keyOfB && a < b)
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
