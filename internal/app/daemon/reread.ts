import { BlockingFailed, readText } from '../../blocking/blocking.ts'
import type { Clock } from '../../clock/clock.ts'
import { type FileText, type Loaded, type LoadOptions, parseConfig } from '../../config/config.ts'

/** Longer than any healthy disk takes. */
const deadlineMs = 2_000

/** What `loadConfig` answers, without blocking the caller: a disk that hangs is a problem like any other. */
export async function rereadConfig(options: LoadOptions, clock: Clock): Promise<Loaded> {
  return parseConfig(await textOf(options.file, clock), options)
}

async function textOf(file: string, clock: Clock): Promise<FileText> {
  try {
    return { text: await readText(file, deadlineMs, clock) }
  } catch (error) {
    if (!(error instanceof BlockingFailed)) throw error
    if (error.code === 'ENOENT') return { text: null }
    return { error: error.code === 'EHUNG' ? 'the disk does not answer' : (error.code ?? error.message) }
  }
}
