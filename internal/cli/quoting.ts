export const shells = ['sh', 'fish', 'powershell'] as const
export type Shell = (typeof shells)[number]

/** A line that sets an environment variable in that shell, whatever the value contains. */
export function assignment(shell: Shell, name: string, value: string): string {
  switch (shell) {
    case 'sh':
      return `export ${name}=${quoted(shell, value)}`
    case 'fish':
      return `set -gx ${name} ${quoted(shell, value)}`
    case 'powershell':
      return `$env:${name} = ${quoted(shell, value)}`
  }
}

/** The value as one literal word: bare where every shell reads it so, else in single quotes. */
function quoted(shell: Shell, value: string): string {
  if (shell !== 'powershell' && /^[A-Za-z0-9_./:@%+,-]+$/.test(value)) return value
  switch (shell) {
    case 'sh':
      return `'${value.replaceAll("'", `'\\''`)}'`
    case 'fish':
      return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
    case 'powershell':
      return `'${value.replaceAll("'", "''")}'`
  }
}

/** A remark that every one of the shells passes over. */
export function remark(text: string): string {
  return text.replace(/^/gm, '# ').replace(/ +$/gm, '')
}
