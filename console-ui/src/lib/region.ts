// The region the pages work in, if it is another than the node's: any is served, each with its own resources. A change loads the page
// anew, as nothing that is on it holds there.

import { keep, recall } from './stored.ts'

// https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html: those that need no opting in.
export const REGIONS = [
  'us-east-1',
  'us-east-2',
  'us-west-1',
  'us-west-2',
  'ap-northeast-1',
  'ap-northeast-2',
  'ap-northeast-3',
  'ap-south-1',
  'ap-southeast-1',
  'ap-southeast-2',
  'ca-central-1',
  'eu-central-1',
  'eu-north-1',
  'eu-west-1',
  'eu-west-2',
  'eu-west-3',
  'sa-east-1',
]

const stored = recall<string | null>('region', null)

/** null for the node's own. */
export const region: string | null = typeof stored === 'string' && /^[a-z0-9-]{1,32}$/.test(stored) ? stored : null

export function chooseRegion(name: string): void {
  keep('region', name)
  location.reload()
}
