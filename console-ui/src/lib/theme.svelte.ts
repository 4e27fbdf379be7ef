// Light, dark, or as the system says. Stored; the colours themselves are in app.css.

import { keep, recall } from './stored.ts'

export type Theme = 'system' | 'light' | 'dark'

const system = matchMedia('(prefers-color-scheme: dark)')
const stored = recall<Theme>('theme', 'system')
let choice = $state<Theme>(stored === 'light' || stored === 'dark' ? stored : 'system')
let systemDark = $state(system.matches)

system.addEventListener('change', (event) => {
  systemDark = event.matches
})

export const theme = {
  get choice() {
    return choice
  },
  get dark() {
    return choice === 'dark' || (choice === 'system' && systemDark)
  },
  /** The other of light and dark than what is seen now. */
  toggle() {
    choice = theme.dark ? 'light' : 'dark'
    keep('theme', choice)
    apply()
  },
}

export function apply(): void {
  if (choice === 'system') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = choice
}
