/** Whether requests of a conversation go to the member that has served it. */
export const affinities = ['none', 'conversation'] as const
export type Affinity = (typeof affinities)[number]

/** How many conversations are remembered, and how long one that nobody goes on with. */
export const conversationBounds = { most: 100_000, idleMs: 3_600_000 }
