import { parentPort, workerData } from 'node:worker_threads'
import { faultOf } from './database-file.ts'
import { StaleGeneration } from './fault.ts'
import { type Answered, type Asked, faultFrom, isStep, type WorkerOptions } from './message.ts'
import { migrate } from './migrate.ts'
import { SqlSteps } from './sql.ts'
import { inspectSqlite, openSqlite, type SqliteDatabase, spelling } from './sqlite.ts'
import type { StepName, Steps, StepTypes } from './steps.ts'

/*
 * The thread in which SQLite runs. It answers one call at a time, may hang in a system call for ever, and is then left
 * behind by its parent. A handle that failed is closed and opened again at the next call, because SQLite's file handles do
 * not recover when the directory under them goes away and comes back.
 */
const options = workerData as WorkerOptions
let open: { readonly database: SqliteDatabase; readonly steps: SqlSteps } | null = null
let opened = options.again

async function ready(): Promise<SqlSteps> {
  if (open) return open.steps
  const { file, key, busyMs, program } = options
  if (!opened) inspectSqlite(file, program, key)
  // A database that has been there and is gone must not be replaced by an empty one: its disk may be unmounted.
  const database = openSqlite(file, { mustExist: opened, busyMs })
  try {
    const steps = new SqlSteps(database.db, { auditKey: key.auditKey, house: database.house, fleet: null })
    await migrate(database.db, file, { spelling, program, begin: (on) => steps.begin(on) })
    await claim(steps)
    opened = true
    open = { database, steps }
    return steps
  } catch (error) {
    database.close()
    throw error
  }
}

/** A full disk keeps nobody from starting: the fingerprint is then kept at another start. */
async function claim(steps: SqlSteps): Promise<void> {
  try {
    await steps.claim(options.file, options.key.keyId, options.resumes)
  } catch (error) {
    if (faultOf(error, options.file).code !== 'full') throw error
  }
}

function shut(): void {
  const database = open?.database
  open = null
  database?.close()
}

function perform<S extends StepName>(
  steps: Steps,
  step: S,
  asks: StepTypes[S]['asks'],
): Promise<StepTypes[S]['answers']> {
  return steps[step](asks)
}

async function answer({ id, call, asks }: Asked): Promise<Answered> {
  try {
    if (call === 'close') {
      shut()
      return { id, answer: null }
    }
    const steps = await ready()
    return { id, answer: isStep(call) ? await perform(steps, call, asks) : null }
  } catch (error) {
    return { id, fault: failed(error) }
  }
}

function failed(error: unknown): ReturnType<typeof faultFrom> {
  if (error instanceof StaleGeneration) return faultFrom(error)
  const fault = faultOf(error, options.file)
  if (fault.code === 'unavailable') {
    try {
      shut()
    } catch {
      // The handle is broken already; what matters is that the next call makes a new one.
    }
  }
  return faultFrom(fault)
}

let turn = Promise.resolve()
parentPort?.on('message', (asked: Asked) => {
  turn = turn.then(async () => parentPort?.postMessage(await answer(asked)))
})
