import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attachment, identity, readable, size, split, type Policy } from '../src/lib/access.ts'

const here = { endpoint: null, region: 'eu-west-1' }
const allow = (Action: string[], Resource: string[]): Policy => ({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action, Resource }] })
const objects = (n: number) => Array.from({ length: n }, (_, i) => `arn:aws:s3:::lake/a-rather-long-name-of-an-object/${i}`)

test('ARNs say whose they are', () => {
  for (const [arn, kind, name] of [
    ['arn:aws:iam::000000000000:user/team/bob', 'user', 'bob'],
    ['arn:aws:iam::000000000000:role/r', 'role', 'r'],
    ['arn:aws:sts::000000000000:assumed-role/r/session', 'role', 'r'],
    ['arn:aws:iam::000000000000:root', 'root', 'root'],
    ['firehose.amazonaws.com', 'other', 'firehose.amazonaws.com'],
    ['anonymous', 'other', 'anonymous'],
  ]) {
    assert.deepEqual(identity(arn!), { kind, name }, arn)
  }
})

test('a small policy is put into its user or role', () => {
  const policy = allow(['s3:GetObject'], ["arn:aws:s3:::b/it's"])
  const user = attachment('arn:aws:iam::000000000000:user/bob', policy, here)
  assert.match(user.text, /^aws iam put-user-policy \\\n {4}--user-name bob \\\n {4}--policy-name used \\\n {4}--policy-document '\{"Version":"2012-10-17",/)
  // What is pasted into a shell is the policy and nothing else.
  assert.match(user.text, /it'\\''s/)
  assert.match(attachment('arn:aws:iam::000000000000:role/p/r', policy, here).text, /put-role-policy \\\n {4}--role-name r \\/)
})

test('a large one becomes managed policies that are attached', () => {
  const policy = allow(['s3:GetObject'], objects(40))
  assert.ok(size(policy) > 2048)
  const { text, note } = attachment('arn:aws:iam::000000000000:user/bob', policy, here)
  assert.match(text, /create-policy \\\n {4}--policy-name used-bob \\/)
  assert.match(text, /attach-user-policy \\\n {4}--user-name bob \\\n {4}--policy-arn arn:aws:iam::000000000000:policy\/used-bob \\/)
  assert.match(note, /too large for an inline policy/)
  const root = attachment('arn:aws:iam::000000000000:root', policy, here)
  assert.match(root.text, /create-policy \\\n {4}--policy-name used-by-root \\/)
  assert.doesNotMatch(root.text, /attach/)
})

test('splitting keeps every right and every size', () => {
  const policy: Policy = { Version: '2012-10-17', Statement: [...allow(['s3:GetObject'], objects(300)).Statement, ...allow(['a:b', 'a:c'], ['*']).Statement] }
  const parts = split(policy, 6144)
  assert.ok(parts.length > 1 && parts.every((part) => size(part) <= 6144))
  const rights = (policies: Policy[]) => policies.flatMap((part) => part.Statement.flatMap((s) => s.Action.flatMap((a) => s.Resource.map((r) => `${a} ${r}`)))).sort()
  assert.deepEqual(rights(parts), rights([policy]))
  const { text } = attachment('arn:aws:iam::000000000000:role/r', policy, here)
  assert.match(text, /used-r-1[\s\S]*used-r-2/)
  assert.deepEqual(split(allow(['s3:GetObject'], ['x'.repeat(7000)]), 6144).length, 1)
})

test('a document is read as it is written, and shown as it is when it is none', () => {
  assert.equal(readable('%7B%22a%22%3A1%7D'), '{\n  "a": 1\n}')
  assert.equal(readable('%'), '%')
  assert.equal(readable('not json'), 'not json')
  assert.equal(readable(undefined), '')
})
