// Bundles what the web view sends to browsers: internal/web/client → dist/internal/web/client.
import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const from = (name) => join(root, 'internal/web/client', name)
const to = (name) => join(root, 'dist/internal/web/client', name)

mkdirSync(to('.'), { recursive: true })
const common = { bundle: true, minify: true, target: ['es2022'], logLevel: 'warning', legalComments: 'eof' }
const banner = { js: '/*! with morphdom, (c) Patrick Steele-Idem and others, MIT license */' }
await Promise.all([
  build({ ...common, entryPoints: [from('main.ts')], outfile: to('app.js'), format: 'esm', banner }),
  build({ ...common, entryPoints: [from('app.css')], outfile: to('app.css') }),
])
copyFileSync(from('icon.svg'), to('icon.svg'))
