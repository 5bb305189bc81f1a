// Compiles schemas/*.schema.json to modules of the rooms that read them: importing ajv itself takes 39 ms, its output 1 ms.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import process from 'node:process'
import { URL, fileURLToPath } from 'node:url'
import { Ajv2020 } from 'ajv/dist/2020.js'
import standalone from 'ajv/dist/standalone/index.js'

const SCHEMAS = new URL('../schemas/', import.meta.url)
const OUTPUTS = [
  {
    file: new URL('../src/image/schemas.generated.ts', import.meta.url),
    validator: './validate.ts',
    exports: {
      validateLayoutFile: 'oci-layout.schema.json',
      validateDescriptor: 'descriptor.schema.json',
      validateIndex: 'index.schema.json',
      validateManifest: 'manifest.schema.json',
      validateConfig: 'config.schema.json',
      validateDockerArchive: 'docker-archive.schema.json'
    }
  },
  {
    file: new URL('../src/hooks/schema.generated.ts', import.meta.url),
    validator: '../image/validate.ts',
    exports: { validateHooks: 'hooks.schema.json' }
  },
  {
    file: new URL('../src/engine/erofs/schema.generated.ts', import.meta.url),
    validator: '../../image/validate.ts',
    exports: { validateImageSet: 'erofs.schema.json' }
  }
]

/** Writes the validators; leaves a file alone where it is current. Also vitest's global setup. */
export default function compileSchemas() {
  const ajv = loadedAjv()
  for (const { file, validator, exports } of OUTPUTS) {
    const code = header(validator) + typed(standalone.default(ajv, exports))
    if (current(file) !== code) writeFileSync(file, code)
  }
}

function loadedAjv() {
  const ajv = new Ajv2020({ strict: true, verbose: true, code: { source: true, esm: true } })
  for (const name of readdirSync(SCHEMAS)) {
    if (name.endsWith('.schema.json')) {
      ajv.addSchema(JSON.parse(readFileSync(new URL(name, SCHEMAS), 'utf8')))
    }
  }
  return ajv
}

function header(validator) {
  return `// @ts-nocheck\nimport type { SchemaValidator } from '${validator}'\n`
}

function typed(code) {
  if (/\brequire\(|^import /m.test(code)) throw new Error('a schema needs a run-time helper of ajv')
  return code.replace(/export const (\w+) = /g, 'export const $1: SchemaValidator = ')
}

function current(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (error.code === 'ENOENT') return undefined
    throw error
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) compileSchemas()
