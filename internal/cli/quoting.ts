/** bash and zsh read what sh does. */
export const shells = ['sh', 'bash', 'zsh', 'fish', 'powershell'] as const
export type Shell = (typeof shells)[number]

/** A line that sets an environment variable in that shell, whatever the value contains. */
export function assignment(shell: Shell, name: string, value: string): string {
  switch (shell) {
    case 'fish':
      return `set -gx ${name} ${quoted(shell, value)}`
    case 'powershell':
      return `$env:${name} = ${quoted(shell, value)}`
    default:
      return `export ${name}=${quoted(shell, value)}`
  }
}

/** A line after which the variable is not set in that shell, also when it was not before. */
export function removal(shell: Shell, name: string): string {
  switch (shell) {
    case 'fish':
      return `set -e ${name}`
    case 'powershell':
      return `Remove-Item Env:${name} -ErrorAction Ignore`
    default:
      return `unset ${name}`
  }
}

/** A line that fails: what `eval` gets in place of lines that could not be made. */
export function failing(shell: Shell): string {
  return shell === 'powershell' ? "throw 'spillway env failed'" : 'false'
}

/** The words as one command line of sh. */
export function commandLine(words: readonly string[]): string {
  return words.map((word) => quoted('sh', word)).join(' ')
}

/** The value as one literal word: bare where every shell reads it so, else in single quotes. */
function quoted(shell: Shell, value: string): string {
  if (shell !== 'powershell' && /^[A-Za-z0-9_./:@%+,-]+$/.test(value)) return value
  switch (shell) {
    case 'fish':
      return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
    case 'powershell':
      return `'${value.replaceAll("'", "''")}'`
    default:
      return `'${value.replaceAll("'", `'\\''`)}'`
  }
}

/** A remark that every one of the shells passes over. */
export function remark(text: string): string {
  return text.replace(/^/gm, '# ').replace(/ +$/gm, '')
}
