// Who is signed in, and to which account and region.

import type { Account } from './api.ts'
import { region } from './region.ts'

let current = $state.raw<Account>({ account: '', region: '', arn: '' })

export const account = {
  get current() {
    return current
  },
  /** The region is the one the reader chose, or else the node's. */
  set(next: Account) {
    current = region === null ? next : { ...next, region }
  },
  /** Where AWS clients reach this node. */
  get endpoint() {
    return current.endpoint ?? 'http://127.0.0.1:4566'
  },
}
