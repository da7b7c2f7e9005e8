/** How keys and tokens of providers begin; a name does not. */
const prefixes = /^(?:sk|rk|gsk|csk|fw|hf)[-_]\S{8}|^(?:AIza|ya29\.|eyJ|xox[bp]-|gh[ps]_)\S{8}|^xai-\S{24}/

/** Runs that are shorter than this may be words and dates. */
const shortestRun = 20

/** From how many changes of kind (small, capital, digit) per character on a run of letters and digits was not written by a person. */
const mixed = 0.3

/** Whether a text that was given as a name is most likely a key or token. */
export function looksLikeSecret(text: string): boolean {
  if (prefixes.test(text)) return true
  return (text.match(/[A-Za-z0-9]+/g) ?? []).some((run) => run.length >= shortestRun && isMixed(run))
}

function isMixed(run: string): boolean {
  const kinds = [...run].map((char) => (/\d/.test(char) ? 0 : char === char.toLowerCase() ? 1 : 2))
  const changes = kinds.filter((kind, at) => at > 0 && kind !== kinds[at - 1]).length
  return changes / run.length >= mixed
}
