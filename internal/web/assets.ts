import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { Answer } from './answer.ts'
import type { Assets } from './pages/layout.ts'

const types: Readonly<Record<string, string>> = {
  'app.js': 'text/javascript; charset=utf-8',
  'app.css': 'text/css; charset=utf-8',
  'icon.svg': 'image/svg+xml',
}

type File = Required<Pick<Answer, 'type'>> & Pick<Answer, 'body'>

let files: ReadonlyMap<string, File> | null = null

/** What `npm run build` makes of the folder `client`; read once, when the first page is looked at. */
function all(): ReadonlyMap<string, File> {
  files ??= new Map(
    Object.entries(types).map(([name, type]) => [name, { type, body: readFileSync(join(folder(), name)) }]),
  )
  return files
}

function folder(): string {
  return dirname(createRequire(import.meta.url).resolve('#web/app.js'))
}

/** The file of a path below `/assets/`; null for any other. */
export function fileOf(path: string): File | null {
  return /^\/assets\/([a-z.]+)$/.test(path) ? (all().get(path.slice('/assets/'.length)) ?? null) : null
}

/** The addresses of the files, each with its version. */
export function assets(): Assets {
  return { script: addressOf('app.js'), style: addressOf('app.css'), icon: addressOf('icon.svg') }
}

function addressOf(name: string): string {
  const body = all().get(name)?.body
  const version = createHash('sha256').update(String(body)).digest('base64url').slice(0, 8)
  return `/assets/${name}?v=${version}`
}
