import type { CommandAnswer, CommandAsk } from './command.ts'
import type { Mount } from './mounts.ts'
import type { RemoveAnswer, RemoveAsk } from './remove.ts'
import type { WalkAnswer, WalkAsk } from './walk.ts'

interface Path {
  readonly path: string
}

/** The blocking things that such a process does: what it is asked, and what it answers. */
export type GuardTasks = {
  probe: { asks: Path; answers: true }
  look: { asks: Path; answers: { readonly at: number } | null }
  space: { asks: Path; answers: { readonly freeBytes: number; readonly totalBytes: number } }
  createFile: { asks: Path; answers: boolean }
  removeFile: { asks: Path; answers: boolean }
  mounts: { asks: null; answers: readonly Mount[] }
  command: { asks: CommandAsk; answers: CommandAnswer }
  walk: { asks: WalkAsk; answers: WalkAnswer }
  remove: { asks: RemoveAsk; answers: RemoveAnswer }
}
