import { Worker } from 'node:worker_threads'
import { type FileText, type Loaded, type LoadOptions, parseConfig } from '../load.ts'
import type { Delay } from './watch.ts'

/** Longer than any healthy disk takes. */
const deadlineMs = 2_000

const program = `
const { readFileSync } = require('node:fs')
const { parentPort, workerData } = require('node:worker_threads')
try {
  parentPort.postMessage({ text: readFileSync(workerData, 'utf8') })
} catch (error) {
  parentPort.postMessage(error.code === 'ENOENT' ? { text: null } : { error: error.code ?? error.message })
}`

/**
 * What `loadConfig` answers, without blocking the caller: the file is read in a worker of its own, and a disk that hangs
 * for two seconds is a problem like any other.
 */
export async function reloadConfig(options: LoadOptions, clock: Delay): Promise<Loaded> {
  return parseConfig(await readInWorker(options.file, clock), options)
}

function readInWorker(file: string, clock: Delay): Promise<FileText> {
  const worker = new Worker(program, { eval: true, workerData: file, env: {} })
  worker.unref()
  return new Promise<FileText>((done) => {
    const cancel = clock.after(deadlineMs, () => done({ error: 'the disk does not answer' }))
    worker.once('message', (read: FileText) => done(read))
    worker.once('error', (error: Error) => done({ error: error.message }))
    worker.once('exit', cancel)
  }).finally(() => worker.terminate())
}
