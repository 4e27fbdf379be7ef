// Who is signed in, and to which account and region.

import type { Account } from './api.ts'

let current = $state.raw<Account>({ account: '', region: '', arn: '' })

export const account = {
  get current() {
    return current
  },
  set(next: Account) {
    current = next
  },
  /** Where AWS clients reach this node. */
  get endpoint() {
    return current.endpoint ?? 'http://127.0.0.1:4566'
  },
}
