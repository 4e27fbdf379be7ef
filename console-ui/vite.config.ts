// How the console is built: a static single-page app that runs under a strict Content-Security-Policy,
// so nothing is inlined (no data: fonts, no inline style, no inline script).
import { readFileSync } from 'node:fs'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig, type Plugin } from 'vite'

/** Writes the licences of every runtime dependency to dist/licences.txt, which the help sheet links to. */
function licences(): Plugin {
  return {
    name: 'licences',
    apply: 'build',
    generateBundle() {
      const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
        packages: Record<string, { version?: string; license?: string; dev?: boolean }>
      }
      const parts = Object.entries(lock.packages)
        .filter(([path, entry]) => path.startsWith('node_modules/') && !entry.dev)
        .map(([path, entry]) => {
          const head = `${path.slice('node_modules/'.length)} ${entry.version} (${entry.license ?? 'see text'})`
          for (const name of ['LICENSE', 'LICENSE.md', 'LICENSE.txt', 'LICENCE', 'license', 'License']) {
            try {
              return `${head}\n\n${readFileSync(`${path}/${name}`, 'utf8').trim()}\n`
            } catch {
              continue
            }
          }
          return `${head}\n`
        })
      this.emitFile({ type: 'asset', fileName: 'licences.txt', source: parts.join(`\n${'-'.repeat(80)}\n\n`) })
    },
  }
}

export default defineConfig({
  plugins: [svelte(), licences()],
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    manifest: true,
    reportCompressedSize: false,
  },
  server: { proxy: { '/console': 'http://127.0.0.1:4567' } },
})
