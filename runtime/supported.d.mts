interface Versions {
  readonly node: string
  readonly napi?: string | undefined
}

export declare function sqliteFor(versions: Versions): 12 | 13 | null
export declare function refusalOf(versions: Versions): string | null
