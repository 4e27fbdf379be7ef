// The query tabs: their text survives a reload. Bounded in number and size by what a person would write.

import { keep, recall } from './stored.ts'
import type { Run } from './executions.svelte.ts'

export interface Tab {
  id: number
  sql: string
}

const TABS_MAX = 12

const stored = recall<{ tabs: Tab[]; active: number }>('query.tabs', { tabs: [], active: 0 })
const valid = Array.isArray(stored.tabs)
  ? stored.tabs.filter((tab) => typeof tab?.id === 'number' && typeof tab?.sql === 'string').slice(0, TABS_MAX)
  : []

const initial = valid.length ? valid : [{ id: 1, sql: '' }]

let list = $state.raw<Tab[]>(initial)
let active = $state(initial.some((tab) => tab.id === stored.active) ? stored.active : initial[0]!.id)
/** Runs live as long as the page is open, also while another page is shown. */
let runs = $state.raw(new Map<number, Run>())

function save() {
  keep('query.tabs', { tabs: list, active })
}

export const tabs = {
  get list() {
    return list
  },
  get active(): Tab {
    return list.find((tab) => tab.id === active) ?? list[0]!
  },
  get run(): Run | null {
    return runs.get(active) ?? null
  },
  select(id: number) {
    active = id
    save()
  },
  write(id: number, sql: string) {
    list = list.map((tab) => (tab.id === id ? { ...tab, sql } : tab))
    save()
  },
  setRun(id: number, run: Run) {
    runs.get(id)?.abandon()
    runs = new Map(runs).set(id, run)
  },
  /** A tab with this text: the one that has it already, the active one when it is blank, or a new one. */
  open(sql: string) {
    const same = list.find((tab) => tab.sql.trim() === sql.trim())
    if (same) active = same.id
    else if (tabs.active.sql.trim() === '') tabs.write(active, sql)
    else {
      const id = Math.max(...list.map((tab) => tab.id)) + 1
      list = [...(list.length >= TABS_MAX ? list.slice(1) : list), { id, sql }]
      active = id
    }
    save()
  },
  get full() {
    return list.length >= TABS_MAX
  },
  add() {
    if (tabs.full) return
    const id = Math.max(...list.map((tab) => tab.id)) + 1
    list = [...list, { id, sql: '' }]
    active = id
    save()
  },
  close(id: number) {
    const at = list.findIndex((tab) => tab.id === id)
    runs.get(id)?.abandon()
    const rest = list.filter((tab) => tab.id !== id)
    list = rest.length ? rest : [{ id: id + 1, sql: '' }]
    if (active === id) active = list[Math.max(0, Math.min(at, list.length - 1))]!.id
    save()
  },
}
