import { type Html, html, none } from '../html.ts'
import { counted, type Page, type Piece, type View, versionOf } from './page.ts'

const menu = [
  ['/', 'Pools'],
  ['/incidents', 'Incidents'],
  ['/audit', 'Audit'],
  ['/guard', 'Jobs and guard'],
  ['/keys', 'Keys'],
  ['/fleet', 'Fleet'],
  ['/settings', 'Settings'],
] as const

/** The names of the files that a page loads, with their versions. */
export interface Assets {
  readonly script: string
  readonly style: string
  readonly icon: string
}

/** What is around a page. */
export interface Frame {
  readonly assets: Assets
  readonly flash: Html | null
}

/** The whole document. */
export function documentOf(page: Page, view: View, { assets, flash }: Frame): Html {
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${page.title} – spillway</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<link rel="stylesheet" href="${assets.style}"><link rel="icon" href="${assets.icon}"><script type="module" src="${assets.script}"></script></head>
<body data-now="${view.now}"><a class="skip" href="#main">Skip to the content</a>
<header class="top"><a class="brand" href="/"><svg viewBox="0 0 24 24" aria-hidden="true"><path d="M3 6h6c4 0 3 6 6 6h6M3 12h3c4 0 3 6 6 6h9"/></svg>spillway</a>
<nav aria-label="Pages" data-pieces="nav">${wrapped(navPiece(page, view))}</nav>
<form method="post" action="/logout"><button class="quiet">Sign out</button></form></header>
<p id="connection" class="connection" role="status" aria-live="polite"></p><p id="said" class="unseen" role="status" aria-live="polite"></p>
<main id="main" tabindex="-1"><h1>${page.title}</h1>${flash === null ? none : html`<div class="flash" role="status">${flash}</div>`}
<noscript><p class="hint">This page does not follow what happens while scripts are off: load it again.</p></noscript>
<div data-pieces="main">${page.pieces.map((piece) => wrapped(piece))}</div></main>
<footer>spillway ${view.status.version} · Node ${view.status.node} · agents at <code>${view.status.origin}</code></footer>
<dialog id="ask" aria-labelledby="ask-title"></dialog></body></html>
`
}

/** What has changed since the browser got the pieces of these versions; the others stand as empty places. */
export function changesOf(page: Page, view: View, have: ReadonlySet<string>): Html {
  const told = (piece: Piece) => wrapped(piece, have)
  return html`<div data-pieces="nav" data-now="${view.now}">${told(navPiece(page, view))}</div><div data-pieces="main">${page.pieces.map(told)}</div>`
}

/** A page without a menu of its own state: a question, or what went wrong. */
export function plainPage(title: string, at: string, body: Html): Page {
  return { title, at, pieces: [{ id: 'plain', body }] }
}

function navPiece({ at }: Page, { status }: View): Piece {
  const open = status.incidents.length
  const entries = menu.map(([path, name]) => {
    const badge =
      path === '/incidents' && open > 0
        ? html` <span class="badge" aria-label="${counted(open, 'open incident')}">${open}</span>`
        : none
    return html`<li><a href="${path}"${path === at ? html` aria-current="page"` : none}>${name}${badge}</a></li>`
  })
  return { id: 'nav', body: html`<ul>${entries}</ul>` }
}

function wrapped(piece: Piece, have?: ReadonlySet<string>): Html {
  const version = versionOf(piece)
  if (have?.has(version)) return html`<div data-part="${piece.id}" data-v="${version}" data-same></div>`
  return html`<div data-part="${piece.id}" data-v="${version}">${piece.body}</div>`
}
