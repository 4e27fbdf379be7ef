// Principals by their ARNs, and policies as people attach them: how large one may be, and the commands. Pure.

import { cli, type Json, type Target } from './snippets.ts'

export interface DeniedRequest {
  principal: string
  /** Who asked last: of a role, its session. */
  caller: string
  action: string
  resource: string
  reason: string
  /** Which policy lacks the statement; null when a Deny is to blame. */
  policy: string | null
  statement: Json
  refused: boolean
  count: number
  lastAt: number
}

export type Mode = 'enforce' | 'audit' | 'off'

export interface Denied {
  mode: Mode
  at: number
  since: number
  total: number
  matching: number
  requests: DeniedRequest[]
}

export interface UsedPrincipal {
  arn: string
  actions: number
  firstAt: number
  lastAt: number
}

export interface Principals {
  mode: Mode
  at: number
  principals: UsedPrincipal[]
}

export interface Policy {
  Version: string
  Statement: Statement[]
}

export interface Statement {
  Effect: string
  Action: string[]
  Resource: string[]
}

export interface Generated {
  principal: UsedPrincipal
  policy: Policy
}

export type Kind = 'user' | 'role' | 'root' | 'other'

/** Whose ARN it is, and the name that operations take. */
export function identity(arn: string): { kind: Kind; name: string } {
  const parts = /^arn:aws[\w-]*:(?:iam|sts)::\d{12}:(user|role|assumed-role|root)(?:\/(.*))?$/.exec(arn)
  if (!parts) return { kind: 'other', name: arn }
  const [, type, path = ''] = parts
  if (type === 'root') return { kind: 'root', name: 'root' }
  const names = path.split('/')
  // A session's ARN ends in the session's name, which is not the role's.
  if (type === 'assumed-role') return { kind: 'role', name: names[0]! }
  return { kind: type as Kind, name: names.at(-1)! }
}

// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html: characters without white space.
const MANAGED_MAX = 6144
const INLINE_MAX = { user: 2048, role: 10_240 }

const POLICY_NAME = 'used'

/** A policy's characters as the quota counts them: not between its parts; what is within a name counts. */
export function size(policy: Policy): number {
  return JSON.stringify(policy).replace(/\s/g, '').length
}

/** The same rights in as few policies as hold them, each no larger than `max`. */
export function split(policy: Policy, max: number): Policy[] {
  const policies: Policy[] = []
  for (const statement of policy.Statement.flatMap((whole) => halves(whole, max))) {
    const last = policies.at(-1)
    const grown = last && { ...last, Statement: [...last.Statement, statement] }
    if (grown && size(grown) <= max) policies[policies.length - 1] = grown
    else policies.push({ Version: policy.Version, Statement: [statement] })
  }
  return policies
}

/** A statement that is too large alone as several: first by resources, then by actions. */
function halves(statement: Statement, max: number): Statement[] {
  if (size({ Version: '2012-10-17', Statement: [statement] }) <= max) return [statement]
  const by = statement.Resource.length > 1 ? 'Resource' : 'Action'
  const items = statement[by]
  if (items.length < 2) return [statement]
  const middle = Math.ceil(items.length / 2)
  return [items.slice(0, middle), items.slice(middle)].flatMap((half) => halves({ ...statement, [by]: half }, max))
}

/** The commands that give a principal these rights and what to know about them. */
export function attachment(arn: string, policy: Policy, target: Target): { text: string; note: string } {
  const { kind, name } = identity(arn)
  const account = arn.split(':')[4] ?? ''
  if ((kind === 'user' || kind === 'role') && size(policy) <= INLINE_MAX[kind]) {
    const document = JSON.stringify(policy)
    const call =
      kind === 'user'
        ? { operation: 'PutUserPolicy', params: { UserName: name, PolicyName: POLICY_NAME, PolicyDocument: document } }
        : { operation: 'PutRolePolicy', params: { RoleName: name, PolicyName: POLICY_NAME, PolicyDocument: document } }
    return { text: cli({ service: 'iam', ...call }, target), note: `Puts it into the ${kind} as the inline policy “${POLICY_NAME}”.` }
  }
  const policies = split(policy, MANAGED_MAX)
  const lines = policies.flatMap((part, i) => {
    const policyName = [POLICY_NAME, kind === 'root' ? 'by-root' : name, ...(policies.length > 1 ? [String(i + 1)] : [])].join('-').slice(-128)
    const create = cli({ service: 'iam', operation: 'CreatePolicy', params: { PolicyName: policyName, PolicyDocument: JSON.stringify(part) } }, target)
    const PolicyArn = `arn:aws:iam::${account}:policy/${policyName}`
    if (kind === 'user') return [create, cli({ service: 'iam', operation: 'AttachUserPolicy', params: { UserName: name, PolicyArn } }, target)]
    if (kind === 'role') return [create, cli({ service: 'iam', operation: 'AttachRolePolicy', params: { RoleName: name, PolicyArn } }, target)]
    return [create]
  })
  const many = policies.length > 1 ? `${policies.length} managed policies, as one may have ${MANAGED_MAX} characters` : 'a managed policy'
  const note =
    kind === 'user' || kind === 'role'
      ? `Creates ${many}, and attaches ${policies.length > 1 ? 'them' : 'it'}: too large for an inline policy.`
      : `A root needs no policy and can have none. Creates ${many} for a user or role that is to do the same.`
  return { text: lines.join(''), note }
}

/** A policy document as IAM's operations answer it: percent-encoded JSON. What is none is shown as it is. */
export function readable(document: string | undefined): string {
  if (document === undefined) return ''
  let text = document
  try {
    text = decodeURIComponent(document)
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}
