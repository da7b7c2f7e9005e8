import { span } from '../../when/when.ts'
import { type Html, html, none } from '../html.ts'
import { ago, empty, type Page, type View, withCommand, words } from './page.ts'
import { type Story, storiesIn } from './stories.ts'
import { sentenceOf, storyOf } from './told.ts'

const mostRows = 2_000
const mostStories = 50

/** What is wrong now, and what was, each with its story. */
export async function incidentsPage(view: View): Promise<Page> {
  const rows = await view.ops.auditList({ since: '7d', limit: mostRows })
  const stories = storiesIn(rows)
  const closed = stories.filter(({ closedAt }) => closedAt !== null).slice(0, mostStories)
  const { incidents } = view.status
  const now = incidents.map((incident) => {
    const story = stories.find(
      ({ kind, pool, subject, closedAt }) =>
        closedAt === null &&
        kind === incident.kind &&
        (pool === incident.pool || (subject !== null && subject === incident.subject)),
    )
    const about = [incident.pool, incident.subject].filter((name) => name !== null).join(', ')
    return html`<li class="incident bad"><p><b>${incident.text === null ? `${about}: ${words(incident.kind)}` : withCommand(incident.text)}</b></p><p class="by">began ${ago(incident.openedAt, view)}${incident.count > 1 ? html`, ${incident.count} times` : none}</p>${story ? details(story, view) : none}</li>`
  })
  const open =
    incidents.length === 0
      ? empty('No incident is open: every pool serves, and nobody waits for a person.')
      : html`<ul class="incidents" role="list">${now}</ul>`
  const past =
    closed.length === 0
      ? empty('None within the last 7 days.')
      : html`<ul class="incidents" role="list">${closed.map((story) => html`<li class="incident">${ended(story, view)}${details(story, view)}</li>`)}</ul>`
  return {
    title: 'Incidents',
    at: '/incidents',
    pieces: [
      { id: 'open', body: html`<h2>Open</h2>${open}` },
      { id: 'closed', body: html`<h2>Over</h2>${past}` },
    ],
  }
}

function ended(story: Story, view: View): Html {
  const lasted = span(Date.parse(story.closedAt ?? story.openedAt) - Date.parse(story.openedAt))
  return html`<p><b>${story.pool === null ? none : html`${story.pool}: `}${sentenceOf(story.first)}</b></p><p class="by">lasted ${lasted}, began ${ago(story.openedAt, view)}</p>`
}

function details(story: Story, view: View): Html {
  if (story.rows.length < 2) return none
  return html`<details><summary>Its story, ${story.rows.length} rows</summary>${storyOf(story.rows, view, { pool: false })}</details>`
}
