/** What of a stream's events carries nothing to read: it does not end the time in which another member can still take over. */
import { type Fields, fields, isFields, list } from '../signal.ts'

/** Whether a value holds nothing: none, an empty text, an empty list or an empty object. */
export function isNothing(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true
  return typeof value === 'object' && Object.keys(value).length === 0
}

/** Whether an event is a chunk of a chat completion that says who speaks, and nothing yet. */
export function isEmptyChunk({ choices }: Fields): boolean {
  return Array.isArray(choices) && choices.every(isEmptyChoice)
}

function isEmptyChoice(choice: unknown): boolean {
  const { delta, text, message, finish_reason: reason } = fields(choice)
  if (![text, message, reason].every(isNothing)) return false
  return text === '' || (isFields(delta) && holdsOnly('role', delta))
}

/** Whether an event of Anthropic's opens a block that is empty, or adds nothing to one. */
export function isEmptyBlock({ type, content_block: block, delta }: Fields): boolean {
  const part = type === 'content_block_start' ? block : type === 'content_block_delta' ? delta : null
  if (!isFields(part)) return false
  return readable.every((name) => isNothing(part[name]))
}

/** Where a block of Anthropic's, or what is added to it, can have something to read. */
const readable = ['text', 'thinking', 'signature', 'input', 'partial_json', 'data', 'content', 'citation']

/** Whether an element of Gemini's holds no more than empty texts; for Gemini logins it is wrapped in `response`. */
export function isEmptyElement(root: Fields): boolean {
  const { candidates } = isFields(root.response) ? root.response : root
  return Array.isArray(candidates) && candidates.length > 0 && candidates.every(isEmptyCandidate)
}

function isEmptyCandidate(candidate: unknown): boolean {
  const { content, finishReason } = fields(candidate)
  return isNothing(finishReason) && list(fields(content).parts).every((part) => holdsOnly('thought', fields(part)))
}

/** Whether nothing but what has this name holds anything. */
function holdsOnly(name: string, part: Fields): boolean {
  return Object.entries(part).every(([field, value]) => field === name || isNothing(value))
}
