import type { Answer } from './answer.ts'
import { html } from './html.ts'

/*
 * What those see who are not let in: text, and nothing of the program's state. No style either, because every other file
 * needs a session.
 */

interface Said {
  readonly status: number
  readonly title: string
  readonly text: string
  readonly headers?: Readonly<Record<string, string>>
}

/** A page of text for somebody who has no session. */
function outside({ status, title, text, headers = {} }: Said): Answer {
  const body = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
<title>${title} – spillway</title></head>
<body><main><h1>${title}</h1><p>${text}</p></main></body></html>
`
  return { status, headers, body }
}

/** For whoever comes without a session, or with one that is over. */
export function locked(hadOne: boolean): Answer {
  return outside({
    status: 401,
    title: hadOne ? 'Your session is over' : 'Not signed in',
    text: 'Type “spillway web” in a terminal on the machine that runs spillway: it opens this page with a link that works once.',
  })
}

/** For a link that was used before, is older than five minutes, or never was one. */
export function spentLink(): Answer {
  return outside({
    status: 403,
    title: 'This link does not work',
    text: 'It was used already, it is older than five minutes, or spillway has been started again since. Type “spillway web” for a new one.',
  })
}

/** For an address that guessed too often. */
export function tooMany(seconds: number): Answer {
  return outside({
    status: 429,
    title: 'Too many attempts',
    text: `There were more than ten wrong links or cookies from this address within a minute. Try again in ${seconds} s.`,
    headers: { 'retry-after': String(seconds) },
  })
}

const refusals = {
  'foreign-host': [
    421,
    'The Host header does not name this page. Where it is reached under another name, web.publicUrl in spillway.yaml says so.',
  ],
  'foreign-origin': [403, 'Another page has sent this, or the browser did not say which one did. Nothing was done.'],
} as const

/** For a request that comes from elsewhere. */
export function foreign(why: keyof typeof refusals): Answer {
  const [status, text] = refusals[why]
  return outside({ status, title: 'Refused', text })
}

/**
 * Lets the browser in. A redirect that began on another site would not carry a strict cookie, so that the page itself goes
 * on from there.
 */
export function welcome(cookie: string, site: string | undefined): Answer {
  const headers = { 'set-cookie': cookie }
  if (site !== 'cross-site') return { status: 303, headers: { ...headers, location: '/' }, body: '' }
  const body = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="0; url=/"><title>spillway</title></head>
<body><a href="/">Go on to spillway</a></body></html>
`
  return { status: 200, headers, body }
}
