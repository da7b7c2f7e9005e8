// Makes one bundle of the compiled program and its packages in dist/bundle/: without it, a start reads 1,500 files, and the
// daemon and its threads keep their text in memory. The program takes the bundle unless something has been compiled since.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const dist = join(dirname(dirname(fileURLToPath(import.meta.url))), 'dist')
const out = join(dist, 'bundle')

/** What threads and processes run, by the module that starts them. */
const scripts = {
  'internal/store/open.js': ['internal/store/worker.js'],
  'internal/blocking/looks.js': ['internal/blocking/look-worker.js'],
  'internal/credential/worker/tasks.js': [
    'internal/credential/worker/worker.js',
    'internal/credential/worker/lockworker.js',
  ],
  'internal/guard/system-calls.js': ['internal/guard/isolated/main.js'],
}
const flat = (script) => script.replaceAll('/', '-').replace(/\.js$/, '')

/** Modules go on to find what lies beside them from where they were; those that start scripts find the bundled ones. */
const wherever = {
  name: 'wherever',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]dist[\\/](cmd|internal)[\\/].*\.js$/ }, ({ path }) => {
      const module = relative(dist, path).replaceAll('\\', '/')
      const place = JSON.stringify(module in scripts ? module : `../${module}`)
      const text = readFileSync(path, 'utf8')
      return { contents: text.replaceAll('import.meta.url', `new URL(${place}, import.meta.url).href`) }
    })
  },
}

rmSync(out, { recursive: true, force: true })
const started = Object.values(scripts).flat()
await build({
  entryPoints: {
    program: join(dist, 'cmd/spillway/program.js'),
    ...Object.fromEntries(started.map((script) => [flat(script), join(dist, script)])),
  },
  outdir: out,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  // Names stay, for stack traces; comments and blanks go.
  minifyWhitespace: true,
  minifySyntax: true,
  // The packages come along with their licences.
  legalComments: 'none',
  mainFields: ['module', 'main'],
  external: ['openai', 'pg-native', '#supported', '#better-sqlite3-12', 'better-sqlite3'],
  // Packages in CommonJS ask for Node's modules with `require`.
  banner: { js: "import{createRequire as requireFrom}from'node:module';const require=requireFrom(import.meta.url);" },
  plugins: [wherever],
  logLevel: 'warning',
})
for (const script of started) {
  mkdirSync(dirname(join(out, script)), { recursive: true })
  writeFileSync(join(out, script), `import '${'../'.repeat(script.split('/').length - 1)}${flat(script)}.js'\n`)
}
