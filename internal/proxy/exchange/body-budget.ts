/**
 * Bytes that all held bodies together may take. Once a quarter is in use, no body gets more than a quarter of what is left:
 * so a few long ones cannot take the replay of all the short ones away.
 */
export class BodyBudget {
  #used = 0
  total: number

  constructor(total: number) {
    this.total = total
  }

  get used(): number {
    return this.#used
  }

  /** Reserves `bytes` more for a body that has `taken` some, and is `size` long in the end as far as is known; false when they are not there. */
  take(bytes: number, taken = 0, size = 0): boolean {
    const others = this.#used - taken
    const left = this.total - others
    const most = others < this.total / 4 ? left : left / 4
    if (Math.max(size, taken + bytes) > most) return false
    this.#used += bytes
    return true
  }

  give(bytes: number): void {
    this.#used -= bytes
  }
}
