// What the browser keeps between visits: theme, query tabs, choices. Never a secret. A full or forbidden
// storage is no error: the console then forgets.

export function recall<T>(name: string, fallback: T): T {
  try {
    const text = localStorage.getItem(`headwater.${name}`)
    return text === null ? fallback : (JSON.parse(text) as T)
  } catch {
    return fallback
  }
}

export function keep(name: string, value: unknown): void {
  try {
    localStorage.setItem(`headwater.${name}`, JSON.stringify(value))
  } catch {
    return
  }
}
