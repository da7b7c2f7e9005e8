import { type Fields, fields, isFields, readJson } from './signal.ts'

/** What one answer took and gave, in tokens, in one way for all providers. */
export interface Tokens {
  /** Everything that was read, from a cache or not. */
  readonly input: number
  /** The part of `input` that came from a cache. */
  readonly cached: number
  /** The part of `input` that was written into a cache, where the provider bills that. */
  readonly cacheWrite: number
  /** The part of `cacheWrite` that is kept for an hour. */
  readonly cacheWriteHour: number
  /** Everything that was generated, reasoning included. */
  readonly output: number
  /** The part of `output` that is reasoning, where the provider tells it. */
  readonly reasoning: number
}

/** No answer takes more: a greater number is garbage, and would spoil sums. */
const mostTokens = 1_000_000_000

/** The texts of usage objects in an answer, the first and the last of them; the same when there is one. */
export interface ToldUsage {
  readonly first: string
  readonly last: string
}

/**
 * The tokens that the usage objects of an answer tell; null when they tell none. The last one decides, and what it leaves
 * out is taken from the first: Anthropic tells the input at the beginning of a stream. Of an answer that is cut
 * (`isWhole` false) such a beginning says nothing yet.
 */
export function tokensTold({ first, last }: ToldUsage, isWhole: boolean): Tokens | null {
  const ended = fields(readJson(onOneLine(last)))
  // Nearly all answers tell it once, and this is done for each.
  if (first === last) return isWhole || 'total_tokens' in ended || 'totalTokenCount' in ended ? tokensOf(ended) : null
  const told = Object.entries(ended).filter(([, value]) => value !== null)
  return tokensOf({ ...fields(readJson(onOneLine(first))), ...Object.fromEntries(told) })
}

/** Data of several lines, as a server-sent event carries it, is one text. */
function onOneLine(text: string): string {
  return text.includes('\n') || text.includes('\r') ? text.replace(/[\r\n]+data:/g, ' ') : text
}

/** The tokens of a usage object of any of the APIs; null when it is none of theirs, or garbled. */
export function tokensOf(usage: unknown): Tokens | null {
  if (!isFields(usage)) return null
  if ('promptTokenCount' in usage) return checked(ofGemini(usage))
  if ('prompt_tokens' in usage) return checked(ofCompletion(usage))
  return checked('input_tokens' in usage ? ofMessageOrResponse(usage) : {})
}

/** `thoughtsTokenCount` and `toolUsePromptTokenCount` stand beside the counts of prompt and candidates. */
function ofGemini(usage: Fields): Partial<Tokens> {
  const reasoning = count(usage.thoughtsTokenCount)
  return {
    input: sum(usage.promptTokenCount, count(usage.toolUsePromptTokenCount)),
    cached: count(usage.cachedContentTokenCount),
    output: count(usage.candidatesTokenCount ?? usage.responseTokenCount) + reasoning,
    reasoning,
  }
}

/** Cached tokens are part of the prompt, under three names; reasoning is part of the completion, except where the total says otherwise. */
function ofCompletion(usage: Fields): Partial<Tokens> {
  const prompt = fields(usage.prompt_tokens_details)
  const input = sum(usage.prompt_tokens, 0)
  const completion = count(usage.completion_tokens)
  const reasoning = count(fields(usage.completion_tokens_details).reasoning_tokens)
  const isBeside = usage.total_tokens === input + completion + reasoning
  return {
    input,
    cached: count(prompt.cached_tokens ?? usage.prompt_cache_hit_tokens ?? usage.cached_tokens),
    cacheWrite: count(prompt.cache_write_tokens),
    output: isBeside ? completion + reasoning : completion,
    reasoning,
  }
}

/** In a message what was read from or written into a cache stands beside the input; in a response it is part of it. */
function ofMessageOrResponse(usage: Fields): Partial<Tokens> {
  const details = fields(usage.input_tokens_details)
  const given = fields(usage.output_tokens_details)
  const read = count(usage.cache_read_input_tokens)
  const written = count(usage.cache_creation_input_tokens)
  return {
    input: sum(usage.input_tokens, read + written),
    cached: read + count(details.cached_tokens),
    cacheWrite: written + count(details.cache_write_tokens),
    cacheWriteHour: count(fields(usage.cache_creation).ephemeral_1h_input_tokens),
    output: count(usage.output_tokens),
    reasoning: count(given.reasoning_tokens ?? given.thinking_tokens),
  }
}

/** A number of tokens; 0 where it is missing or garbage. */
function count(value: unknown): number {
  return isCount(value) ? value : 0
}

/** The number with more beside it; not a number where it is garbage. */
function sum(value: unknown, more: number): number {
  return isCount(value) ? value + more : Number.NaN
}

function isCount(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= mostTokens
}

/** A part is never more than its whole. */
function checked(told: Partial<Tokens>): Tokens | null {
  const { input = Number.NaN, cached = 0, cacheWrite = 0, cacheWriteHour = 0, output = 0, reasoning = 0 } = told
  if (Number.isNaN(input)) return null
  const written = Math.min(cacheWrite, input)
  return {
    input,
    cached: Math.min(cached, input),
    cacheWrite: written,
    cacheWriteHour: Math.min(cacheWriteHour, written),
    output,
    reasoning: Math.min(reasoning, output),
  }
}

/** Whether a request asks a model for something: what only counts tokens, or asks for anything else, is no usage. */
export function asksModel(method: string, path: string): boolean {
  return method === 'POST' && !/[/:]count_?tokens\b/i.test(path)
}
