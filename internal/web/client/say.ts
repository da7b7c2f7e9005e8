/** A screen reader is not talked over: what changed within so many ms is said together. */
const pauseMs = 4_000
const most = 3

let waiting: string[] = []
let timer: ReturnType<typeof setTimeout> | null = null
let lastAt = Number.NEGATIVE_INFINITY

/** Says who serves now, where that has changed, in the page's one polite region. */
export function say(changes: readonly string[]): void {
  if (changes.length === 0) return
  waiting = [...waiting.filter((text) => !changes.includes(text)), ...changes]
  if (timer !== null) return
  timer = setTimeout(speak, Math.max(0, lastAt + pauseMs - performance.now()))
}

function speak(): void {
  timer = null
  lastAt = performance.now()
  const region = document.getElementById('said')
  const rest = waiting.length - most
  if (region)
    region.textContent = `${waiting.slice(0, most).join('. ')}${rest > 0 ? `. And ${rest} more changes` : ''}.`
  waiting = []
}
