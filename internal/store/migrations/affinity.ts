import type { Migration } from './migration.ts'

/** Pools say whether conversations stay with who has served them; null is what the configuration says. */
export const affinity: Migration = () => ['alter table pools add column affinity text']
