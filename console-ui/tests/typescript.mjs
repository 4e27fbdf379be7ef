// Lets `node --test` import the .ts sources: types are stripped by the TypeScript compiler, nothing is checked.
import { register } from 'node:module'

register(
  'data:text/javascript,' +
    encodeURIComponent(`
      import { readFile } from 'node:fs/promises'
      import { fileURLToPath } from 'node:url'
      import { createRequire } from 'node:module'
      const ts = createRequire(${JSON.stringify(import.meta.url)})('typescript')
      export async function load(url, context, next) {
        if (!url.endsWith('.ts')) return next(url, context)
        const text = await readFile(fileURLToPath(url), 'utf8')
        const { outputText } = ts.transpileModule(text, {
          compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022, verbatimModuleSyntax: true },
        })
        return { format: 'module', source: outputText, shortCircuit: true }
      }
    `),
)
