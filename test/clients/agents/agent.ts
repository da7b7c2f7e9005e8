/** An agent program: how it is started for one short prompt without a terminal, and what is expected of it. */

/** Where an agent finds its pool. */
export interface Stage {
  /** The pool's URL. */
  readonly base: string
  /** The client key. */
  readonly key: string
  /** A home of its own, empty but for the agent's files. */
  readonly home: string
}

/** How an agent is started. */
export interface Start {
  /** Relative to the folder in which the agents are installed. */
  readonly program: string
  /** Whether it is a script for node, and not a binary. */
  readonly isScript: boolean
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Files below its home: what is in them, by path. */
  readonly files: Readonly<Record<string, string>>
}

export interface Agent {
  readonly name: string
  readonly provider: 'openai' | 'anthropic' | 'gemini'
  /** Whether it asks again when its connection is reset in the middle of an answer. */
  readonly comesAgain: boolean
  /** How many requests it makes before it stops at an exhausted pool: opencode asks for a title, too. */
  readonly requests: number
  /** What it shows of an exhausted pool, with single spaces. */
  readonly shows: RegExp
  start(stage: Stage): Start
}
