/*
 * Makes the pages live: they can be read without it. What changed is asked for again as markup, at most four times a second
 * and never while an answer is outstanding, and only what differs is touched, so that focus and scrolling stay where they are.
 */
import { questions } from './ask.ts'
import { pieces } from './pieces.ts'
import { say } from './say.ts'
import { ticking } from './ticking.ts'

const gatherMs = 250
/** What no event tells: requests under way and counts. */
const quietMs = 5_000
const longestWaitMs = 15_000

const connection = document.getElementById('connection')
const clock = ticking(Number(document.body.dataset.now))
const board = pieces(document, clock.tick)

let isAsking = false
let isStale = false
let isOver = false
let failures = 0
let last = 0

function tell(text: string): void {
  if (connection && connection.textContent !== text) connection.textContent = text
  document.documentElement.classList.toggle('lost', text !== '')
}

/** Asks for what changed; what comes in meanwhile is asked for afterwards. */
async function refresh(): Promise<void> {
  if (isOver || document.hidden) return
  if (isAsking) {
    isStale = true
    return
  }
  isAsking = true
  isStale = false
  const began = performance.now()
  try {
    const answer = await fetch(location.href, { headers: { 'spillway-have': board.versions() }, redirect: 'error' })
    if (answer.status === 401 || answer.status === 429) return end()
    if (answer.ok) {
      say(board.apply(await answer.text(), clock))
      tell('')
    }
  } catch {
    tell('The connection to spillway is lost; trying again…')
  }
  last = performance.now()
  isAsking = false
  // A slow machine is asked less often: at least as long a pause as the work took.
  if (isStale) setTimeout(refresh, Math.max(gatherMs, last - began))
}

function end(): void {
  isOver = true
  tell('Your session is over. Type “spillway web” for a new link.')
}

/** Listens for what happens; after a loss again and again, with growing pauses. */
function listen(): void {
  if (isOver) return
  const source = new EventSource(`/v1/events?every=${gatherMs}`)
  source.addEventListener('changed', () => void refresh())
  source.onopen = () => {
    if (failures > 0) void refresh()
    failures = 0
  }
  source.onerror = () => {
    source.close()
    failures++
    tell('The connection to spillway is lost; trying again…')
    void refresh().then(() => setTimeout(listen, Math.min(longestWaitMs, 500 * 2 ** Math.min(failures, 5))))
  }
}

questions(document)
// On a phone the menu is wider than the screen.
document.querySelector('nav [aria-current="page"]')?.scrollIntoView({ block: 'nearest', inline: 'center' })
if (document.querySelector('[data-pieces="main"] [data-part]:not([data-part="plain"])')) {
  listen()
  setInterval(() => {
    if (performance.now() - last >= quietMs) void refresh()
  }, 1_000)
  document.addEventListener('visibilitychange', () => void refresh())
}
