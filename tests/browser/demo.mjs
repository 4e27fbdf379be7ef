// One run of `headwater demo` on free ports and a folder of its own, and a browser that looks at it.

import { execFile, spawn } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { chromium } from 'playwright-core'

const READY_MS = 120_000
const STOP_MS = 30_000
const POLL_MS = 50

const BINARY = variable('HEADWATER_BINARY')

function variable(name) {
  const value = process.env[name]
  if (!value) throw new Error(`${name} is not set; \`cargo xtask test\` sets it`)
  return value
}

/** Polls until `read` gives something true, and gives that: the only way these tests wait. */
export async function eventually(what, read, seconds = 30) {
  const giveUpAt = Date.now() + seconds * 1000
  for (;;) {
    const value = await read()
    if (value) return value
    if (Date.now() > giveUpAt) throw new Error(`${what}: not within ${seconds} s`)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

export class Demo {
  /** The sign-in link it prints. */
  url
  #folder
  #child
  #ended
  #said = ''

  static async start() {
    const demo = new Demo()
    demo.#folder = await mkdtemp(join(tmpdir(), 'headwater-browser-'))
    const ports = ['api', 'console', 'mqtt', 'mqtts', 'https', 'metrics'].flatMap((name) => [`--${name}-port`, '0'])
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(AWS|HEADWATER)_/.test(name)))
    demo.#child = spawn(BINARY, ['demo', '--data', demo.#data, ...ports], { env, stdio: ['ignore', 'pipe', 'pipe'] })
    // Whatever becomes of the tests, the demo does not outlive them.
    process.on('exit', () => demo.#child.kill('SIGKILL'))
    for (const stream of [demo.#child.stdout, demo.#child.stderr]) stream.on('data', (text) => (demo.#said += text))
    demo.#ended = new Promise((resolve) => {
      demo.#child.on('error', (error) => resolve(error.message))
      demo.#child.on('exit', (code, signal) => resolve(code ?? signal))
    })
    let end
    void demo.#ended.then((how) => (end = { how }))
    try {
      demo.url = await eventually(
        'the link to the console',
        () => {
          if (end) throw new Error(`the demo ended (${end.how})`)
          return /Watch it:\s+(\S+)/.exec(demo.#said)?.[1]
        },
        READY_MS / 1000,
      )
    } catch (error) {
      demo.#child.kill('SIGKILL')
      throw new Error(`${error.message}; it said:\n${demo.#said}`)
    }
    return demo
  }

  get #data() {
    return join(this.#folder, 'node')
  }

  /** The root's key, as `headwater env` prints it. */
  async key() {
    const { stdout } = await promisify(execFile)(BINARY, ['env', '--data', this.#data])
    const value = (name) => new RegExp(`^export ${name}='?([^'\n]*)`, 'm').exec(stdout)[1]
    return { id: value('AWS_ACCESS_KEY_ID'), secret: value('AWS_SECRET_ACCESS_KEY') }
  }

  /** Another account of the node, and its root's key, as `headwater account create` prints it. */
  async account() {
    const { stdout } = await promisify(execFile)(BINARY, ['account', 'create', '--data', this.#data])
    const value = (name) => new RegExp(`^${name}\\s*=\\s*(\\S+)`, 'm').exec(stdout)[1]
    const number = /\b\d{12}\b/.exec(stdout)[0]
    return { number, id: value('aws_access_key_id'), secret: value('aws_secret_access_key') }
  }

  /** Ctrl+C, and how it ended: its exit status or a signal. */
  async stop() {
    this.#child.kill('SIGINT')
    const late = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS)
    const how = await this.#ended
    clearTimeout(late)
    await rm(this.#folder, { recursive: true, force: true })
    return how
  }

  get said() {
    return this.#said
  }
}

/** Chromium with nothing in it that depends on the machine. */
export function launch() {
  return chromium.launch({
    executablePath: variable('CHROMIUM'),
    args: ['--disable-dev-shm-usage', '--disable-gpu', '--force-color-profile=srgb', '--font-render-hinting=none'],
  })
}

/** A page of a fresh profile, and all that went wrong on it: errors, failed requests, violations of its policy. */
export async function open(browser, colorScheme) {
  const context = await browser.newContext({
    viewport: { width: 1440, height: 900 },
    colorScheme,
    reducedMotion: 'reduce',
    locale: 'en-GB',
    timezoneId: 'UTC',
  })
  const problems = []
  await context.addInitScript(() => {
    addEventListener('securitypolicyviolation', (event) => {
      console.error(`policy violated: ${event.violatedDirective} by ${event.blockedURI} in ${event.sourceFile}:${event.lineNumber}`)
    })
  })
  const page = await context.newPage()
  page.setDefaultTimeout(30_000)
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) problems.push(`${message.text()} (${message.location().url})`)
  })
  page.on('pageerror', (error) => problems.push(error.stack ?? String(error)))
  page.on('requestfailed', (request) => {
    const why = request.failure()?.errorText
    // A page that is left takes its requests with it.
    if (why !== 'net::ERR_ABORTED') problems.push(`${request.method()} ${request.url()}: ${why}`)
  })
  return { page, problems, close: () => context.close() }
}

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js')

/** What keeps people with assistive technology from using the page as it is now: one sentence a fault. */
export async function barriers(page) {
  await page.evaluate(`${await readFile(AXE, 'utf8')}; null`)
  const { violations } = await page.evaluate(() => globalThis.axe.run({ resultTypes: ['violations'] }))
  return violations.map(({ impact, id, nodes }) => `${impact} ${id}: ${nodes.map(({ target, failureSummary }) => `${target} ${failureSummary}`).join('; ')}`)
}

const SCREENSHOTS = process.env.HEADWATER_SCREENSHOTS ?? join(tmpdir(), 'headwater-screenshots')

/** For the eye, kept outside of the checkout. */
export async function screenshot(page, name) {
  await mkdir(SCREENSHOTS, { recursive: true })
  await page.evaluate(() => document.fonts.ready.then(() => null))
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), animations: 'disabled', caret: 'hide' })
}
