/** The field in which a request names the response that it goes on from. */
export const continuation = '"previous_response_id"'

/** The beginnings of fields in which a request names files, batches and containers. */
export const uploadFields = ['"file_id', '"input_file_id"', '"container']

const responses = /\/responses(?:\/compact)?$/
const uploads = /\/(?:files|batches|containers)(?:\/|$)/
const named = /\/(?:files|batches|containers|responses)\/([^/]{1,256})/
const uploadField = /"(?:file_ids?|input_file_id|container(?:_id)?)"\s*:\s*\[?\s*"([^"\\]{1,256})"/g

/** Whether the answer to such a request is a response that later requests may go on from. */
export function asksResponse(method: string, path: string): boolean {
  return method === 'POST' && responses.test(path)
}

/** Whether a path is about files, batches or containers, which one account has. */
export function isAboutUploads(path: string): boolean {
  return uploads.test(path)
}

/** The id of a file, a batch, a container or a response in a path; null when it names none. */
export function idInPath(path: string): string | null {
  return named.exec(path)?.[1] ?? null
}

/** The id of the response that a JSON body goes on from; null when it names none, or is not JSON. */
export function continuedIn(body: string): string | null {
  let parsed: unknown
  try {
    parsed = JSON.parse(body)
  } catch {
    return null
  }
  const id = isObject(parsed) ? parsed.previous_response_id : null
  return typeof id === 'string' && id !== '' ? id : null
}

/** The ids of files and containers that a JSON body names: the first of each list. */
export function uploadsIn(body: string): readonly string[] {
  return [...body.matchAll(uploadField)].map(([, id]) => id!)
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
