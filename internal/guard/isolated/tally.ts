/** A file as the guard speaks of it: its name and size, never what is in it. */
export interface FileSeen {
  /** Below the folder that was walked, with `/` between the parts. */
  readonly path: string
  readonly bytes: number
  /** When it was written last, ms since 1970. */
  readonly at: number
}

/** A file that may be deleted, and what it must still be then. */
export interface Candidate extends FileSeen {
  readonly inode: number
}

/** From when to when files are counted apart. */
export interface Marks {
  readonly now: number
  /** Growth is measured over so long. */
  readonly windowMs: number
  /** When the pool's incident began; null: there is none. */
  readonly errorAt: number | null
  /** How many of the first files since then are told apart. */
  readonly keepFirst: number
  /** How many of the oldest files are collected for deletion. */
  readonly oldest: number
}

export interface Heap {
  readonly files: number
  readonly bytes: number
}

/** What a walk has seen of a directory. */
export interface Totals {
  readonly files: number
  readonly bytes: number
  readonly oldestAt: number | null
  readonly newestAt: number | null
  readonly largest: readonly FileSeen[]
  readonly newest: readonly FileSeen[]
  /** Written within the window. */
  readonly window: Heap
  /** Written within the last ten minutes. */
  readonly lately: Heap
  /** Written since the incident began, and in the same time before it, and in the hour before it. */
  readonly after: Heap
  readonly before: Heap
  readonly hourBefore: Heap
  /** The first files since the incident began; without one, the first of the window. */
  readonly first: readonly Candidate[]
  /** Oldest first. */
  readonly oldest: readonly Candidate[]
}

const latelyMs = 600_000
const hourMs = 3_600_000
const mostShown = 5

/** Adds up the files of a walk. */
export class Tally {
  readonly #marks: Marks
  #files = 0
  #bytes = 0
  #oldestAt: number | null = null
  #newestAt: number | null = null
  readonly #sums = { window: [0, 0], lately: [0, 0], after: [0, 0], before: [0, 0], hourBefore: [0, 0] }
  readonly #largest: Few<FileSeen>
  readonly #newest: Few<FileSeen>
  readonly #first: Few<Candidate>
  readonly #oldest: Few<Candidate>

  constructor(marks: Marks) {
    this.#marks = marks
    this.#largest = new Few(mostShown, ({ bytes }) => -bytes)
    this.#newest = new Few(mostShown, ({ at }) => -at)
    this.#first = new Few(Math.max(mostShown, marks.keepFirst), ({ at }) => at)
    this.#oldest = new Few(marks.oldest, ({ at }) => at)
  }

  add(file: Candidate): void {
    const { bytes, at } = file
    this.#files++
    this.#bytes += bytes
    if (this.#oldestAt === null || at < this.#oldestAt) this.#oldestAt = at
    if (this.#newestAt === null || at > this.#newestAt) this.#newestAt = at
    this.#largest.offer(file)
    this.#newest.offer(file)
    this.#oldest.offer(file)
    this.#count(file)
  }

  #count(file: Candidate): void {
    const { now, windowMs, errorAt } = this.#marks
    const { at } = file
    const isRecent = at >= now - windowMs
    if (isRecent) add(this.#sums.window, file)
    if (at >= now - latelyMs) add(this.#sums.lately, file)
    if (errorAt === null) {
      if (isRecent) this.#first.offer(file)
      return
    }
    if (at >= errorAt) {
      add(this.#sums.after, file)
      this.#first.offer(file)
      return
    }
    if (at >= errorAt - (now - errorAt)) add(this.#sums.before, file)
    if (at >= errorAt - hourMs) add(this.#sums.hourBefore, file)
  }

  /** What has been seen so far. */
  get totals(): Totals {
    const heap = ([files, bytes]: number[]): Heap => ({ files: files ?? 0, bytes: bytes ?? 0 })
    const { window, lately, after, before, hourBefore } = this.#sums
    return {
      files: this.#files,
      bytes: this.#bytes,
      oldestAt: this.#oldestAt,
      newestAt: this.#newestAt,
      largest: this.#largest.sorted(),
      newest: this.#newest.sorted(),
      window: heap(window),
      lately: heap(lately),
      after: heap(after),
      before: heap(before),
      hourBefore: heap(hourBefore),
      first: inOrder(this.#first.sorted()),
      oldest: inOrder(this.#oldest.sorted()),
    }
  }
}

/** Oldest first; files of one instant, which file systems round to some ms, go by their names. */
function inOrder(files: readonly Candidate[]): readonly Candidate[] {
  return [...files].sort((one, other) => one.at - other.at || (one.path < other.path ? -1 : 1))
}

function add(sum: number[], { bytes }: FileSeen): void {
  sum[0] = (sum[0] ?? 0) + 1
  sum[1] = (sum[1] ?? 0) + bytes
}

/** The few items with the least rank of any number that are offered: a heap with the greatest of them on top. */
export class Few<T> {
  readonly #most: number
  readonly #rank: (item: T) => number
  readonly #heap: { readonly item: T; readonly rank: number }[] = []

  constructor(most: number, rank: (item: T) => number) {
    this.#most = most
    this.#rank = rank
  }

  offer(item: T): void {
    const heap = this.#heap
    const rank = this.#rank(item)
    if (heap.length < this.#most) {
      heap.push({ item, rank })
      this.#rise(heap.length - 1)
    } else if (this.#most > 0 && rank < heap[0]!.rank) {
      heap[0] = { item, rank }
      this.#sink()
    }
  }

  /** Least rank first. */
  sorted(): readonly T[] {
    return [...this.#heap].sort((one, other) => one.rank - other.rank).map(({ item }) => item)
  }

  #rise(from: number): void {
    const heap = this.#heap
    for (let at = from; at > 0; ) {
      const parent = (at - 1) >> 1
      if (heap[parent]!.rank >= heap[at]!.rank) return
      ;[heap[parent], heap[at]] = [heap[at]!, heap[parent]!]
      at = parent
    }
  }

  #sink(): void {
    const heap = this.#heap
    for (let at = 0; ; ) {
      const left = 2 * at + 1
      const right = left + 1
      let largest = at
      if (left < heap.length && heap[left]!.rank > heap[largest]!.rank) largest = left
      if (right < heap.length && heap[right]!.rank > heap[largest]!.rank) largest = right
      if (largest === at) return
      ;[heap[largest], heap[at]] = [heap[at]!, heap[largest]!]
      at = largest
    }
  }
}
