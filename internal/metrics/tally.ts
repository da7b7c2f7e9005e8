/** More different words than any of our unions has; what comes after them is `other`, so that nobody can grow the list. */
const maxWords = 40

/** Counts by a word of a fixed vocabulary: an outcome, a reason, a kind. */
export class Tally {
  readonly #counts = new Map<string, number>()

  add(word: string, by = 1): void {
    const count = this.#counts.get(word)
    if (count !== undefined) this.#counts.set(word, count + by)
    else if (this.#counts.size < maxWords) this.#counts.set(word, by)
    else this.#counts.set('other', (this.#counts.get('other') ?? 0) + by)
  }

  entries(): Iterable<[word: string, count: number]> {
    return this.#counts
  }
}
