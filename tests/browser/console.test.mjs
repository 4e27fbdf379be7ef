// The console as a person meets it: the link the demo prints, Home, Query and Dashboard, in light and in dark, with not one
// error on the page, nothing its content security policy would have to stop, and no barrier that axe knows of.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { barriers, Demo, eventually, launch, open, screenshot } from './demo.mjs'

let demo
let browser

before(async () => {
  browser = await launch()
  demo = await Demo.start()
})

after(async () => {
  await browser?.close()
  await demo?.stop()
})

/** Text that would run if anything took it for markup, and would hide if it were not written out. */
const HOSTILE = '<img src=x onerror=window.hostile=1>\u202e'
const HOSTILE_SHOWN = '<img src=x onerror=window.hostile=1>⟦U+202E⟧'

/** The number a text shows, whatever groups its digits; null when there is none. */
async function number(locator) {
  const digits = (await locator.innerText()).replace(/\D/g, '')
  return digits ? Number(digits) : null
}

/** One public operation, as whoever is signed in on the page. */
async function call(page, operation, input, expected = 200) {
  const { status, answer } = await page.evaluate(
    async ([path, body]) => {
      const response = await fetch(`/console/aws/${path}`, { method: 'POST', headers: { 'X-Console': '1' }, body })
      return { status: response.status, answer: await response.json() }
    },
    [operation, JSON.stringify(input)],
  )
  assert.equal(status, expected, `${operation}: ${JSON.stringify(answer)}`)
  return answer
}

/** The text of a code block, with what is hidden in it as it was. */
async function raw(block) {
  await block.waitFor()
  return (await block.innerText()).replaceAll('⟦U+202E⟧', '\u202e')
}

/** The value of a term in a list of facts. */
const fact = (page, term) => page.locator(`dt:text-is("${term}") + dd`)

/** Resolves when a number on the page becomes larger by itself. */
async function rises(what, locator) {
  let first = null
  await eventually(`${what} rises`, async () => {
    const value = await number(locator)
    first ??= value
    return value !== null && value > first
  })
}

/** Keeps a picture of the page as it is, and looks for barriers on it. */
async function inspect(page, name) {
  await screenshot(page, name)
  assert.deepEqual(await barriers(page), [])
}

async function write(page, sql) {
  await page.getByLabel('SQL editor').click()
  // Emptied first: to replace a selection, Chromium's own editing tries an inline style, which the policy stops.
  await page.keyboard.press('ControlOrMeta+A')
  await page.keyboard.press('Delete')
  await page.keyboard.insertText(sql)
}

for (const scheme of ['light', 'dark']) {
  test(`the console, ${scheme}`, { timeout: 240_000 }, async (t) => {
    const { page, problems, close } = await open(browser, scheme)
    t.after(close)

    await t.test('the printed link signs in and is taken out of the address', async () => {
      await page.goto(demo.url)
      await page.getByRole('navigation', { name: 'Pages' }).waitFor()
      assert.equal(page.url(), new URL('/', demo.url).href)
      const [red, green, blue] = await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor.match(/[\d.]+/g).map(Number))
      assert.equal((red + green + blue) / 3 > 128, scheme === 'light', 'the page follows the system theme')
    })

    await t.test('Home shows the pipeline and its numbers move', async () => {
      const pipeline = page.getByRole('region', { name: 'Live pipeline' })
      for (const name of ['heartrate_rule', 'heartrate-stream', 'pydata.iot.pipeline', 'default.heartrate_iot_data']) {
        await pipeline.getByRole('button', { name }).waitFor()
      }
      await rises('messages received', fact(page, 'Messages received'))
      await rises('records taken by streams', fact(page, 'Records taken by streams'))
      const devices = pipeline.getByRole('button', { name: /^Devices/ })
      await eventually('devices are connected', async () => /\b8 connected/.test(await devices.innerText()))
      await eventually('messages flow', async () => !/^0\s*msg/m.test(await devices.innerText()))
      await inspect(page, `home-${scheme}`)
    })

    await t.test('a card opens what is known of it', async () => {
      await page.getByRole('button', { name: 'heartrate_rule' }).click()
      await page.getByText("'/health/#'").first().waitFor()
      await inspect(page, `home-rule-${scheme}`)
    })

    await t.test('Query runs SQL with Ctrl+Enter, shows rows and says what is wrong', async () => {
      await page.getByRole('link', { name: 'Query' }).click()
      await write(page, 'SELECT userid, count(*) AS beats FROM heartrate_iot_data GROUP BY userid ORDER BY beats DESC')
      await page.keyboard.press('ControlOrMeta+Enter')
      const result = page.getByRole('table', { name: 'Result' })
      await result.waitFor()
      assert.deepEqual(
        (await result.getByRole('columnheader').allInnerTexts()).slice(1).map((text) => text.split(/\s/)[0]),
        ['userid', 'beats'],
      )
      const first = await result.getByRole('row').nth(1).getByRole('cell').allInnerTexts()
      assert.match(first[0], /\w/)
      assert.ok(Number(first[1]) > 0, `a count, not ${first[1]}`)
      await page.getByText('succeeded', { exact: true }).waitFor()
      await inspect(page, `query-${scheme}`)

      await write(page, `SELECT '${HOSTILE}' AS "<b>x</b>"`)
      await page.keyboard.press('ControlOrMeta+Enter')
      await result.getByRole('columnheader', { name: '<b>x</b>' }).waitFor()
      await result.getByRole('cell', { name: HOSTILE_SHOWN, exact: true }).waitFor()

      await write(page, 'SELECT nothing_like_it\nFROM heartrate_iot_data')
      await page.keyboard.press('ControlOrMeta+Enter')
      await page.getByRole('button', { name: 'Go to line 1, column 8' }).waitFor()
      await page.getByText('COLUMN_NOT_FOUND').first().waitFor()
      await inspect(page, `query-error-${scheme}`)

      await page.getByRole('button', { name: 'History' }).click()
      await page.getByRole('button', { name: /failed.*nothing_like_it/ }).first().waitFor()
    })

    await t.test('every click can be had as boto3', async () => {
      await page.getByRole('button', { name: 'API', exact: true }).click()
      const drawer = page.getByRole('region', { name: 'API calls of this page' })
      await drawer.getByRole('button', { name: 'StartQueryExecution' }).first().click()
      await drawer.getByText('athena.start_query_execution(').waitFor()
      await inspect(page, `api-${scheme}`)
      await drawer.getByRole('button', { name: 'Close' }).click()
    })

    await t.test('Dashboard shows heart rates and updates by itself', async () => {
      await page.getByRole('link', { name: 'Dashboard' }).click()
      const tiles = page.getByRole('region', { name: 'Latest heart rate' }).getByRole('listitem')
      await eventually('every user has a tile', async () => (await tiles.count()) >= 1)
      const chart = page.locator('figure[aria-label="Heart rate by user over time"] canvas')
      const drawn = () => chart.evaluate((canvas) => canvas.toDataURL())
      const before = await drawn()
      await rises('readings', fact(page, 'Readings'))
      await eventually('the chart is drawn anew', async () => (await drawn()) !== before)
      const latest = await tiles.allInnerTexts()
      await eventually('a tile changes', async () => (await tiles.allInnerTexts()).join() !== latest.join())
      await inspect(page, `dashboard-${scheme}`)
    })

    await t.test('what devices send is text, whatever it says', async () => {
      const status = await page.evaluate(async (userId) => {
        const dateTime = new Date().toISOString().replace('T', ' ').replace('Z', '')
        const record = JSON.stringify({ heartRate: 77, userId, rateType: 'NORMAL', dateTime }) + '\n'
        const answer = await fetch('/console/aws/firehose/PutRecord', {
          method: 'POST',
          headers: { 'X-Console': '1' },
          body: JSON.stringify({ DeliveryStreamName: 'heartrate-stream', Record: { Data: btoa(unescape(encodeURIComponent(record))) } }),
        })
        return answer.status
      }, HOSTILE)
      assert.equal(status, 200)
      await page.getByRole('region', { name: 'Latest heart rate' }).getByText(HOSTILE_SHOWN).waitFor()
      await inspect(page, `dashboard-hostile-${scheme}`)
      assert.equal(await page.evaluate(() => window.hostile), undefined)
    })

    await t.test('Access shows what policies would deny, and a policy of what was used', async () => {
      const name = `alice-${scheme}`
      const key = await call(page, 'iam/CreateUser', { UserName: name }).then(() => call(page, 'iam/CreateAccessKey', { UserName: name }))
      const other = await open(browser, scheme)
      t.after(other.close)
      await other.page.goto(new URL('/', demo.url).href)
      await other.page.getByLabel('Access key ID').fill(key.AccessKey.AccessKeyId)
      await other.page.getByLabel('Secret access key').fill(key.AccessKey.SecretAccessKey)
      await other.page.getByRole('button', { name: 'Sign in' }).click()
      await other.page.getByRole('navigation', { name: 'Pages' }).waitFor()
      // Let through, as the node only records; there is no such message, which is another matter.
      await call(other.page, 'iotdata/GetRetainedMessage', { topic: HOSTILE }, 404)

      await page.getByRole('link', { name: 'Access' }).click()
      await page.getByText('audit', { exact: true }).waitFor()
      await page.getByLabel('Filter denied requests').fill(name)
      const row = page.getByRole('row').filter({ hasText: 'iot:GetRetainedMessage' })
      await row.getByText(`user ${name}`).waitFor()
      await row.getByText('let through').waitFor()
      assert.ok((await row.innerText()).includes(HOSTILE_SHOWN))
      await row.getByRole('button', { name: 'iot:GetRetainedMessage' }).press('Enter')
      const statement = JSON.parse(await raw(page.getByLabel('Missing statement')))
      assert.equal(statement.Action, 'iot:GetRetainedMessage')
      await inspect(page, `access-${scheme}`)
      await page.getByLabel('Filter denied requests').fill('nothing like it')
      await page.getByText('has “nothing like it” in its principal').waitFor()

      await page.getByRole('button', { name: new RegExp(`^${name}`) }).click()
      await page.getByText(`arn:aws:iam::000000000000:user/${name}`, { exact: true }).waitFor()
      const policy = JSON.parse(await raw(page.getByLabel('Policy of what was used')))
      assert.ok(policy.Statement.some((allowed) => allowed.Action.includes('iot:GetRetainedMessage')))
      assert.match(await page.getByLabel('Command that attaches the policy').innerText(), /^aws iam put-user-policy/)
      await inspect(page, `access-policy-${scheme}`)
      assert.equal(await page.evaluate(() => window.hostile), undefined)
    })

    await t.test('Users & roles shows what the policies of each say', async () => {
      const name = `alice-${scheme}`
      const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'iot:*', Resource: `*${HOSTILE}` }] })
      await call(page, 'iam/PutUserPolicy', { UserName: name, PolicyName: 'everything-in-iot', PolicyDocument })
      await call(page, 'iam/TagUser', { UserName: name, Tags: [{ Key: 'team', Value: 'heart' }] })
      await page.getByRole('link', { name: 'Users & roles' }).click()
      await page.getByRole('button', { name, exact: true }).click()
      await page.getByText('team = heart').waitFor()
      await page.getByRole('button', { name: 'everything-in-iot' }).press('Enter')
      await page.getByLabel('Policy everything-in-iot').getByText(HOSTILE_SHOWN).waitFor()
      await inspect(page, `users-${scheme}`)
      const trust = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service: 'firehose.amazonaws.com' }, Action: 'sts:AssumeRole' }] }
      await call(page, 'iam/CreateRole', { RoleName: `deliver-${scheme}`, AssumeRolePolicyDocument: JSON.stringify(trust) })
      await page.getByRole('button', { name: /^Roles/ }).click()
      await page.getByRole('button', { name: `deliver-${scheme}` }).click()
      await page.getByRole('heading', { name: 'Who may assume it' }).waitFor()
      await inspect(page, `roles-${scheme}`)
      assert.equal(await page.evaluate(() => window.hostile), undefined)
    })

    await t.test('a narrow window shows the same', async () => {
      await page.setViewportSize({ width: 480, height: 860 })
      for (const name of ['Access', 'Users & roles']) {
        await page.getByRole('link', { name }).click()
        await page.getByRole('heading', { name, level: 1 }).waitFor()
        const wider = await page.locator('.page').evaluate((element) => element.scrollWidth - element.clientWidth)
        assert.equal(wider, 0, `${name} scrolls sideways`)
        await inspect(page, `${name.split(' ')[0].toLowerCase()}-narrow-${scheme}`)
      }
    })

    await t.test('another region has nothing of this one', async () => {
      await page.setViewportSize({ width: 1440, height: 900 })
      await page.getByRole('link', { name: 'Home', exact: true }).click()
      await page.getByLabel('region').selectOption('eu-west-1')
      await page.getByRole('heading', { name: 'Nothing is flowing yet' }).waitFor()
      await page.getByLabel('region').selectOption('us-east-1')
      await page.getByRole('button', { name: 'heartrate_rule' }).waitFor()
    })

    await t.test('nothing went wrong on the page', () => {
      assert.deepEqual(problems, [])
    })
  })
}

test('the access key signs in, and a wrong one does not', { timeout: 60_000 }, async (t) => {
  const { page, problems, close } = await open(browser, 'light')
  t.after(close)
  const key = await demo.key()
  await page.goto(new URL('/dashboard', demo.url).href)
  await page.getByLabel('Access key ID').fill(key.id)
  await page.getByLabel('Secret access key').fill('wrong')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByText('The access key or its secret is not right.').waitFor()
  await inspect(page, 'login')
  await page.getByLabel('Secret access key').fill(key.secret)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('heading', { name: 'Dashboard', level: 1 }).waitFor()
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByLabel('Access key ID').waitFor()
  // Who asks without a session, or with a wrong key, is told 401: the browser notes that.
  assert.deepEqual(problems.filter((problem) => !/status of 401/.test(problem)), [])
})

test('the root of another account sees nothing of this one', { timeout: 60_000 }, async (t) => {
  const other = await demo.account()
  const { page, problems, close } = await open(browser, 'light')
  t.after(close)
  await page.goto(new URL('/', demo.url).href)
  await page.getByLabel('Access key ID').fill(other.id)
  await page.getByLabel('Secret access key').fill(other.secret)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('heading', { name: 'Nothing is flowing yet' }).waitFor()
  await page.getByText(other.number).first().waitFor()
  const counted = await page.evaluate(async () => {
    const answer = await fetch('/console/metrics', { headers: { 'X-Console': '1' } }).then((response) => response.json())
    return [...answer.counters, ...answer.gauges].map((sample) => sample.labels.account)
  })
  assert.deepEqual(counted.filter((account) => account !== other.number), [])
  await page.getByRole('link', { name: 'Access' }).click()
  // The only principal with a record is itself, and nothing was denied to it.
  await page.getByText('Nothing would have been denied so far').waitFor()
  await page.getByText(`arn:aws:iam::${other.number}:root`).waitFor()
  assert.equal(await page.getByText('000000000000').count(), 0)
  await page.getByRole('link', { name: 'Users & roles' }).click()
  await page.getByText('Nobody but the root yet').waitFor()
  await inspect(page, 'users-none')
  assert.deepEqual(problems.filter((problem) => !/status of 401/.test(problem)), [])
})

test('Ctrl+C ends the demo in order', { timeout: 60_000 }, async () => {
  assert.equal(await demo.stop(), 0, demo.said)
  assert.match(demo.said, /Everything is kept in/)
})
