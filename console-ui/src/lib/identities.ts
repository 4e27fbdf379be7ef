// Users and roles with what their policies say, read through the public IAM operations.

import { all, asApiError, aws } from './api.ts'
import { readable } from './access.ts'

export type Kind = 'user' | 'role'

export interface Row {
  name: string
  arn: string
  path: string
  createdAt: string
}

export interface NamedPolicy {
  name: string
  /** Where it comes from: `inline`, `managed`, or through a group. */
  from: string
  /** None for an inline policy. */
  arn: string | null
}

export interface Detail {
  row: Row
  description: string | null
  tags: { key: string; value: string }[]
  boundary: string | null
  policies: NamedPolicy[]
  /** Of a user. */
  groups: string[]
  keys: { id: string; active: boolean; createdAt: string }[]
  /** Of a role: who may assume it. */
  trust: string | null
  sessionSMax: number | null
}

interface Common {
  Arn: string
  Path: string
  CreateDate: string
  Tags?: { Key: string; Value: string }[]
  PermissionsBoundary?: { PermissionsBoundaryArn: string } | null
  Description?: string | null
}
type User = Common & { UserName: string }
type Role = Common & { RoleName: string; AssumeRolePolicyDocument?: string; MaxSessionDuration?: number }
type Paged = { IsTruncated?: boolean; Marker?: string }

const PAGE = 1000

function listed<Item>(operation: string, member: string, params: { [name: string]: string } = {}): Promise<Item[]> {
  return all(
    (marker) => aws<Paged & Record<string, Item[]>>('iam', operation, { ...params, MaxItems: PAGE, ...(marker ? { Marker: marker } : {}) }),
    (page) => page[member],
    (page) => (page.IsTruncated ? page.Marker : null),
  )
}

const userRow = (user: User): Row => ({ name: user.UserName, arn: user.Arn, path: user.Path, createdAt: user.CreateDate })
const roleRow = (role: Role): Row => ({ name: role.RoleName, arn: role.Arn, path: role.Path, createdAt: role.CreateDate })

export async function readRows(kind: Kind): Promise<Row[]> {
  return kind === 'user' ? (await listed<User>('ListUsers', 'Users')).map(userRow) : (await listed<Role>('ListRoles', 'Roles')).map(roleRow)
}

type Holder = 'User' | 'Role' | 'Group'

async function policiesOf(holder: Holder, name: string): Promise<NamedPolicy[]> {
  const who = { [`${holder}Name`]: name }
  const through = holder === 'Group' ? `group ${name}` : null
  const [inline, attached] = await Promise.all([
    listed<string>(`List${holder}Policies`, 'PolicyNames', who),
    listed<{ PolicyName: string; PolicyArn: string }>(`ListAttached${holder}Policies`, 'AttachedPolicies', who),
  ])
  return [
    ...inline.map((policy) => ({ name: policy, from: through ?? 'inline', arn: null })),
    ...attached.map((policy) => ({ name: policy.PolicyName, from: through ?? 'managed', arn: policy.PolicyArn })),
  ]
}

function common(row: Row, entity: Common): Omit<Detail, 'policies' | 'groups' | 'keys' | 'trust' | 'sessionSMax'> {
  return {
    row,
    description: entity.Description ?? null,
    tags: (entity.Tags ?? []).map(({ Key, Value }) => ({ key: Key, value: Value })),
    boundary: entity.PermissionsBoundary?.PermissionsBoundaryArn ?? null,
  }
}

/** null when there is no such user or role. */
export async function readDetail(kind: Kind, name: string): Promise<Detail | null> {
  try {
    return kind === 'user' ? await readUser(name) : await readRole(name)
  } catch (error) {
    if (asApiError(error).code.startsWith('NoSuchEntity')) return null
    throw error
  }
}

async function readUser(name: string): Promise<Detail> {
  const [{ User }, own, groups, keys] = await Promise.all([
    aws<{ User: User }>('iam', 'GetUser', { UserName: name }),
    policiesOf('User', name),
    listed<{ GroupName: string }>('ListGroupsForUser', 'Groups', { UserName: name }),
    listed<{ AccessKeyId: string; Status: string; CreateDate: string }>('ListAccessKeys', 'AccessKeyMetadata', { UserName: name }),
  ])
  const names = groups.map((group) => group.GroupName)
  const inherited = await Promise.all(names.map((group) => policiesOf('Group', group)))
  return {
    ...common(userRow(User), User),
    policies: [...own, ...inherited.flat()],
    groups: names,
    keys: keys.map((key) => ({ id: key.AccessKeyId, active: key.Status === 'Active', createdAt: key.CreateDate })),
    trust: null,
    sessionSMax: null,
  }
}

async function readRole(name: string): Promise<Detail> {
  const [{ Role }, policies] = await Promise.all([aws<{ Role: Role }>('iam', 'GetRole', { RoleName: name }), policiesOf('Role', name)])
  return {
    ...common(roleRow(Role), Role),
    policies,
    groups: [],
    keys: [],
    trust: readable(Role.AssumeRolePolicyDocument),
    sessionSMax: Role.MaxSessionDuration ?? null,
  }
}

/** The text of a policy that a user or role has. */
export async function readPolicy(kind: Kind, name: string, policy: NamedPolicy): Promise<string> {
  if (policy.arn !== null) {
    const { Policy } = await aws<{ Policy: { DefaultVersionId: string } }>('iam', 'GetPolicy', { PolicyArn: policy.arn })
    const { PolicyVersion } = await aws<{ PolicyVersion: { Document: string } }>('iam', 'GetPolicyVersion', { PolicyArn: policy.arn, VersionId: Policy.DefaultVersionId })
    return readable(PolicyVersion.Document)
  }
  const group = /^group (.*)$/s.exec(policy.from)?.[1]
  const holder: Holder = group !== undefined ? 'Group' : kind === 'user' ? 'User' : 'Role'
  const answer = await aws<{ PolicyDocument: string }>('iam', `Get${holder}Policy`, { [`${holder}Name`]: group ?? name, PolicyName: policy.name })
  return readable(answer.PolicyDocument)
}
