/** Shows the question of a verb over the page instead of on a page of its own. */
export function questions(page: Document): void {
  const dialog = page.getElementById('ask')
  if (!(dialog instanceof HTMLDialogElement)) return
  page.addEventListener('click', (event) => {
    if (!(event.target instanceof Element) || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0)
      return
    const link = event.target.closest<HTMLAnchorElement>('a[data-ask]')
    if (link) {
      event.preventDefault()
      void ask(dialog, link.href)
    }
    if (dialog.open && event.target.closest('[data-cancel]')) {
      event.preventDefault()
      dialog.close()
    }
    // The backdrop is the dialog itself, around its content.
    if (event.target === dialog) dialog.close()
  })
}

/** Fetches the question; where that fails, its own page says why. */
async function ask(dialog: HTMLDialogElement, address: string): Promise<void> {
  try {
    const answer = await fetch(address)
    const told = new DOMParser().parseFromString(await answer.text(), 'text/html')
    const form = told.querySelector('form.question')
    if (!answer.ok || !form) throw new Error('no question')
    dialog.replaceChildren(form)
    dialog.showModal()
  } catch {
    location.assign(address)
  }
}
