/** Does work of the same name one after the other, however each ends; work of other names goes on meanwhile. */
export class OneAtATime {
  readonly #latest = new Map<string, Promise<unknown>>()

  /** Does `work` when what was asked for under this name before has ended; settles as `work` does. */
  run<T>(name: string, work: () => Promise<T>): Promise<T> {
    const before = this.#latest.get(name) ?? Promise.resolve()
    const running = before.then(work)
    const ended = running.then(ignore, ignore)
    this.#latest.set(name, ended)
    return running
  }
}

/** What comes next waits for the end of this, and learns nothing from it. */
function ignore(): void {}
