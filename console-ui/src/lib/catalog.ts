// The Data Catalog as the pages need it: Glue's answers in plain shapes. Pure.

export interface Column {
  name: string
  type: string
}

export interface Table {
  database: string
  name: string
  columns: Column[]
  partitionKeys: Column[]
  location: string | null
  type: string
}

interface GlueColumn {
  Name?: string
  Type?: string
}

export interface GlueTable {
  Name: string
  DatabaseName?: string
  TableType?: string
  PartitionKeys?: GlueColumn[]
  StorageDescriptor?: { Location?: string; Columns?: GlueColumn[] }
}

export function tableOf(table: GlueTable, database: string): Table {
  const column = (c: GlueColumn): Column => ({ name: c.Name ?? '', type: c.Type ?? 'string' })
  return {
    database: table.DatabaseName ?? database,
    name: table.Name,
    columns: (table.StorageDescriptor?.Columns ?? []).map(column),
    partitionKeys: (table.PartitionKeys ?? []).map(column),
    location: table.StorageDescriptor?.Location || null,
    type: table.TableType ?? 'EXTERNAL_TABLE',
  }
}

/** Bucket and prefix of `s3://bucket/prefix/`; null for anything else. */
export function parseLocation(location: string): { bucket: string; prefix: string } | null {
  const parts = /^s3[an]?:\/\/([^/]+)\/?(.*)$/i.exec(location)
  return parts ? { bucket: parts[1]!, prefix: parts[2]! } : null
}
