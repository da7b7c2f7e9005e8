import morph from 'morphdom'
import type { Ticking } from './ticking.ts'

/** The parts of the page and how they are brought up to date. */
export interface Pieces {
  /** The versions that are shown, for the server to leave out. */
  versions(): string
  /** Takes the changes in; returns what changed that somebody who only listens should hear. */
  apply(markup: string, clock: Ticking): string[]
}

/** The parts of this document. */
export function pieces(page: Document, tick: () => void): Pieces {
  const shown = () => page.querySelectorAll<HTMLElement>('[data-pieces] > [data-part]')
  return {
    versions: () => [...shown()].map(({ dataset }) => dataset.v).join(','),
    apply(markup, clock) {
      const before = sayings(page)
      const told = new DOMParser().parseFromString(markup, 'text/html')
      for (const group of told.querySelectorAll<HTMLElement>('[data-pieces]')) {
        if (group.dataset.now) clock.set(Number(group.dataset.now))
        const own = page.querySelector(`[data-pieces="${group.dataset.pieces}"]`)
        if (own) arrange(own, group)
      }
      tick()
      return [...sayings(page)].filter(([who, what]) => before.get(who) !== what).map(([, what]) => what)
    },
  }
}

/** Gives `own` the parts of `told` in its order; parts that have not changed are left alone. */
function arrange(own: Element, told: Element): void {
  const known = new Map([...own.children].map((part) => [(part as HTMLElement).dataset.part, part]))
  let at = own.firstElementChild
  for (const next of [...told.children] as HTMLElement[]) {
    const part = known.get(next.dataset.part)
    if (part === undefined) {
      own.insertBefore(next, at)
      continue
    }
    known.delete(next.dataset.part)
    if (part === at) at = part.nextElementSibling
    else own.insertBefore(part, at)
    if (!('same' in next.dataset)) morph(part, next, { onBeforeElUpdated: keeps })
  }
  for (const gone of known.values()) gone.remove()
}

/** What a person has opened or is typing stays as it is; what is equal is not looked at. */
function keeps(from: HTMLElement, to: HTMLElement): boolean {
  if (from.isEqualNode(to)) return false
  if (from instanceof HTMLDetailsElement && from.open) to.setAttribute('open', '')
  if (from instanceof HTMLInputElement || from instanceof HTMLSelectElement) return false
  return true
}

function sayings(page: Document): Map<string, string> {
  const found = new Map<string, string>()
  for (const element of page.querySelectorAll<HTMLElement>('[data-say]')) {
    const part = element.closest<HTMLElement>('[data-part]')?.dataset.part ?? ''
    found.set(part, element.dataset.say ?? '')
  }
  return found
}
