// What exists: rules, delivery streams and tables, read through the public operations. Shared by the pages that
// show the catalog or the pipeline; each asks for a refresh when it needs one.

import { all, asApiError, aws, type ApiError } from './api.ts'
import { tableOf, type GlueTable, type Table } from './catalog.ts'
import { streamOf, type Facts, type FirehoseDescription, type Rule } from './topology.ts'

let facts = $state.raw<Facts | null>(null)
let databases = $state.raw<string[] | null>(null)
let error = $state.raw<ApiError | null>(null)

export const known = {
  get facts() {
    return facts
  },
  get databases() {
    return databases
  },
  /** Why the last refresh failed; null when it did not. What was read before stays. */
  get error() {
    return error
  },
}

export async function readCatalog(): Promise<{ databases: string[]; tables: Table[] }> {
  const names = await all(
    (token) => aws<{ DatabaseList?: { Name: string }[]; NextToken?: string }>('glue', 'GetDatabases', token ? { NextToken: token } : {}),
    (page) => page.DatabaseList?.map((database) => database.Name),
    (page) => page.NextToken,
  )
  const tables: Table[] = []
  for (const database of names) {
    tables.push(
      ...(await all(
        (token) =>
          aws<{ TableList?: GlueTable[]; NextToken?: string }>('glue', 'GetTables', {
            DatabaseName: database,
            ...(token ? { NextToken: token } : {}),
          }),
        (page) => page.TableList?.map((table) => tableOf(table, database)),
        (page) => page.NextToken,
      )),
    )
  }
  return { databases: names, tables }
}

async function readRules(): Promise<Rule[]> {
  const names = await all(
    (token) =>
      aws<{ rules?: { ruleName: string }[]; nextToken?: string }>('iot', 'ListTopicRules', token ? { nextToken: token } : {}),
    (page) => page.rules?.map((rule) => rule.ruleName),
    (page) => page.nextToken,
  )
  const rules = await Promise.all(
    names.map((ruleName) =>
      aws<{ rule: Rule }>('iot', 'GetTopicRule', { ruleName }).then(
        (answer) => answer.rule,
        // Deleted between the two calls.
        (failure: unknown) => {
          if (asApiError(failure).status === 404 || asApiError(failure).status === 401) return null
          throw failure
        },
      ),
    ),
  )
  return rules.filter((rule) => rule !== null).map((rule) => ({ ...rule, actions: rule.actions ?? [], sql: rule.sql ?? '' }))
}

async function readStreams() {
  const names: string[] = []
  for (let page = 0; page < 20; page += 1) {
    const after = names.at(-1)
    const answer = await aws<{ DeliveryStreamNames?: string[]; HasMoreDeliveryStreams?: boolean }>('firehose', 'ListDeliveryStreams', {
      Limit: 100,
      ...(after ? { ExclusiveStartDeliveryStreamName: after } : {}),
    })
    names.push(...(answer.DeliveryStreamNames ?? []))
    if (!answer.HasMoreDeliveryStreams) break
  }
  const found = await Promise.all(
    names.map((name) =>
      aws<{ DeliveryStreamDescription: FirehoseDescription }>('firehose', 'DescribeDeliveryStream', { DeliveryStreamName: name }).then(
        (answer) => streamOf(answer.DeliveryStreamDescription),
        (failure: unknown) => {
          if (asApiError(failure).code === 'ResourceNotFoundException') return null
          throw failure
        },
      ),
    ),
  )
  return found.filter((stream) => stream !== null)
}

/** Reads everything the pipeline shows. Does not throw: see `known.error`. */
export async function refreshFacts(): Promise<void> {
  try {
    const [rules, streams, catalog] = await Promise.all([readRules(), readStreams(), readCatalog()])
    const next: Facts = { rules, streams, tables: catalog.tables }
    if (JSON.stringify(next) !== JSON.stringify(facts)) facts = next
    databases = catalog.databases
    error = null
  } catch (failure) {
    error = asApiError(failure)
  }
}
