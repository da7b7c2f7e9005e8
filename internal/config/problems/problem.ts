/** Something wrong with the configuration, said so that it can be mended without looking anything up. */
export interface Problem {
  /** Where it stands: the file as it was given, or the environment variable or flag that carries the value. */
  readonly file: string
  /** From 1; null outside files and for the file as a whole. */
  readonly line: number | null
  /** The dotted name of the setting; empty for the file as a whole. */
  readonly key: string
  readonly message: string
  /** What to do about it; null when the message says it all. */
  readonly hint: string | null
}

/** One line for each problem, ordered by place: `spillway.yaml:12: server.listn: unknown key (did you mean listen?)`. */
export function formatProblems(problems: readonly Problem[]): string {
  return [...problems]
    .sort((a, b) => a.file.localeCompare(b.file) || (a.line ?? 0) - (b.line ?? 0))
    .map(({ file, line, key, message, hint }) => {
      const place = line === null ? file : `${file}:${line}`
      return [place, ...(key === '' ? [] : [key]), message + (hint === null ? '' : ` (${hint})`)].join(': ')
    })
    .join('\n')
}
