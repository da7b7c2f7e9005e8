import { html } from '../html.ts'
import { empty, type Page, type View, wide } from './page.ts'

/** Every setting in force, and where it was written. */
export async function settingsPage(view: View): Promise<Page> {
  const settings = await view.ops.settings({})
  if (settings.length === 0)
    return {
      title: 'Settings',
      at: '/settings',
      pieces: [
        {
          id: 'empty',
          body: empty(
            'The configuration file has problems; the last good one is in force. What is wrong with it:',
            'spillway config check',
          ),
        },
      ],
    }
  const rows = settings.map(({ key, value, place, waits }) => {
    const text = value === null ? '–' : typeof value === 'string' ? value : JSON.stringify(value)
    return html`<tr class="${place === null ? '' : 'own'}"><th scope="row"><code>${key}</code></th><td>${text}${waits ? html` <span class="by">takes effect with the next start</span>` : ''}</td><td>${place ?? 'default'}</td></tr>`
  })
  const body = html`<p class="hint">What <code>spillway.yaml</code>, variables and flags say; a changed file is read within seconds.</p>${wide('Settings', html`<table class="settings"><thead><tr><th scope="col">Setting</th><th scope="col">Value</th><th scope="col">From</th></tr></thead><tbody>${rows}</tbody></table>`)}`
  return { title: 'Settings', at: '/settings', pieces: [{ id: 'settings', body }] }
}
