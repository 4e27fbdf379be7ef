// The pages and their addresses, on the history API. State worth a link is in the query string.

export const PAGES = [
  { path: '/', name: 'Home', key: 'h', icon: 'home' },
  { path: '/query', name: 'Query', key: 'q', icon: 'query' },
  { path: '/dashboard', name: 'Dashboard', key: 'a', icon: 'dashboard' },
  { path: '/access', name: 'Access', key: 'c', icon: 'shield' },
  { path: '/identities', name: 'Users & roles', key: 'u', icon: 'person' },
] as const

export type Path = (typeof PAGES)[number]['path']

function here(): { path: Path | null; search: URLSearchParams } {
  const path = location.pathname.replace(/(.)\/$/, '$1')
  return { path: PAGES.find((page) => page.path === path)?.path ?? null, search: new URLSearchParams(location.search) }
}

let current = $state.raw(here())

addEventListener('popstate', () => {
  current = here()
})

export const router = {
  /** null for an address that is no page. */
  get path() {
    return current.path
  },
  get search() {
    return current.search
  },
  go(path: string) {
    if (path !== location.pathname + location.search) history.pushState(null, '', path)
    current = here()
  },
  /** Writes parts of the page's state into the address, without a new history entry. */
  set(name: string, value: string | null, ...more: [string, string | null][]) {
    const search = new URLSearchParams(location.search)
    for (const [key, text] of [[name, value] as const, ...more]) {
      if (text === null) search.delete(key)
      else search.set(key, text)
    }
    const text = search.toString()
    history.replaceState(null, '', location.pathname + (text ? `?${text}` : ''))
    current = here()
  },
}

/** For links: same-tab plain clicks go through the router, everything else is the browser's. */
export function follow(event: MouseEvent & { currentTarget: HTMLAnchorElement }): void {
  if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
  event.preventDefault()
  router.go(event.currentTarget.pathname + event.currentTarget.search)
}
