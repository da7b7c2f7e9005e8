/** How one kind of database spells what the migrations need. */
export interface Spelling {
  /** A whole number of 64 bits. */
  readonly int: string
  /** A floating-point number of 64 bits. */
  readonly real: string
  /** What takes the place of the type `text`: texts compare byte by byte. */
  readonly text: string
  /** What ends the definition of a table with a textual key. */
  readonly keyed: string
  /** What ends the definition of a table with a whole number as its key. */
  readonly numbered: string
  /** Whether several replicas share such a database. */
  readonly isShared: boolean
}

/** The statements that lead from one schema to the next. */
export type Migration = (spelling: Spelling) => readonly string[]
