/** Rules that hold between settings; each returns what is wrong, at the setting that an operator would change. */
export interface Clash {
  readonly key: string
  readonly message: string
  readonly hint: string | null
  /** A second setting that takes part, where the first may stand at its default. */
  readonly other?: string
}

/** The value of a setting; undefined when it is not valid by itself, so that nothing is said about it twice. */
export type Settled = (key: string) => unknown
