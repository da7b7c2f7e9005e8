import { jsonAt } from '../edit/edit.ts'
import type { Client } from './clients.ts'
import type { FileChange } from './diff.ts'

/** A sentence for each setting in the client's own files that may win over what was written there. */
export function rivalsIn({ title, rivals }: Client, files: readonly FileChange[]): string[] {
  const found = files.filter(({ path }) => path.endsWith('.json'))
  return found.flatMap((file) =>
    rivals
      .filter(({ path }) => file.after !== null && jsonAt(file.after, path) !== undefined)
      .map(
        ({ path, why }) =>
          `${file.path} has ${path.join('.')}, which ${why}: take it out, or ${title} may not use the pool`,
      ),
  )
}
