/** Holds what the documents list to the declarations that they list. */
import { readFileSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import { LIMIT_FLAGS } from '../src/cli/flags.ts'
import { HOOK_POINTS } from '../src/hooks/points.ts'

const root = new URL('../', import.meta.url).pathname
const read = (file: string): string => readFileSync(join(root, file), 'utf8')
const library = read('docs/library.md')
const hooks = read('docs/hooks.md')

const CONTEXTS = [
  'BundleContext',
  'ImageContext',
  'HookLayer',
  'PrepareContext',
  'PostExtractContext',
  'FinishContext',
  'AbortContext',
  'RuntimeConfigContext',
  'DeltaListContext',
  'RefreshBundleContext',
  'UpgradedContext',
  'SelectedContext',
  'GcContext'
]

interface HooksSchema {
  properties: object
  $defs: { deltaList: { properties: object } }
}

test('library.md explains every error code, and no other', () => {
  const documented = [...library.matchAll(/^\| `([A-Z_]+)` /gm)].map((match) => match[1])
  expect(documented).toEqual(membersOf('src/errors.ts', 'ErrorCode'))
})

test('library.md lists every function that can be imported, once', () => {
  const exported = valuesOf('src/index.ts').filter((name) => /^[a-z]/.test(name))
  expect(exported).toContain('unpack')
  expect(exported).toContain('collectStore')
  const [table] = /^\| Function [^]*?\n\n/m.exec(library)!
  const listed = [...table.matchAll(/^\| `(\w+)` /gm)].map((match) => match[1]!)
  expect(listed.sort()).toEqual(exported.sort())
})

test('library.md explains every option of an unpack', () => {
  const options = membersOf('src/engine/extract/unpack-options.ts', 'UnpackOptions')
  expect(options).toContain('onEvent')
  for (const option of options)
    expect(library).toMatch(new RegExp(`^\\| .*\`${option}\`.* \\|`, 'm'))
})

test('extraction.md has every limit with its flag', () => {
  const extraction = read('docs/extraction.md')
  const limits = membersOf('src/engine/extract/unpack-options.ts', 'UnpackLimits')
  expect(limits).toHaveLength(LIMIT_FLAGS.length)
  for (const limit of limits) expect(extraction).toContain(`\`limits.${limit}\``)
  for (const { name, summary } of LIMIT_FLAGS) {
    const standard = /default: (.*?)\)/.exec(summary)?.[1]
    const row = new RegExp(`\\| \`--${name}\` +\\| ${standard!} +\\|`)
    expect(extraction).toMatch(row)
  }
})

test('hooks.md has every point with its table and its function, in order', () => {
  const documented = [...hooks.matchAll(/^\| `([\w.-]+\.[\w.-]+)` +\| `(\w+)` /gm)].map(
    ([, name, member]) => ({ name, member })
  )
  expect(documented).toEqual(Object.values(HOOK_POINTS))
})

test('hooks.md explains every variable and every fact that a hook gets', () => {
  const [facts] = /function facts\([^]*?\n}/.exec(read('src/hooks/environment.ts'))!
  const variables = [...facts.matchAll(/^ {4}([A-Z_]+):/gm)].map((match) => match[1]!)
  const members = CONTEXTS.flatMap((name) => membersOf('src/hooks/contexts.ts', name))
  expect(variables).toContain('PARENT_CHAIN_ID')
  expect(members).toContain('parentChainId')
  for (const name of [...variables, ...members])
    expect(hooks).toMatch(new RegExp(`^\\| .*\`${name}\`.* \\|`, 'm'))
})

test('hooks.md explains every key of a hooks.toml', () => {
  const { properties, $defs } = JSON.parse(read('schemas/hooks.schema.json')) as HooksSchema
  const tables = ['env', 'unpack', 'bundle', 'repack', 'store']
  const keys = Object.keys(properties).filter((key) => !tables.includes(key))
  for (const key of [...keys, '[env]', ...Object.keys($defs.deltaList.properties)])
    expect(hooks).toContain(`\n| \`${key}\``)
})

test('links to headings of hooks.md lead somewhere', () => {
  const headings = [...hooks.matchAll(/^#+ (.*)$/gm)].map((match) => slug(match[1]!))
  const within = [...hooks.matchAll(/\]\(#([^)]+)\)/g)]
  const fromLibrary = [...library.matchAll(/\]\(hooks\.md#([^)]+)\)/g)]
  const targets = [...within, ...fromLibrary].map((match) => match[1]!)
  expect(targets).toContain('where-layers-go')
  for (const target of targets) expect(headings).toContain(target)
})

describe('links to files', () => {
  const documents = [
    'README.md',
    'CHANGELOG.md',
    ...['docs', 'contrib', 'hooks'].flatMap(markdownIn)
  ]

  test.each(documents)('of %s lead somewhere', (document) => {
    const targets = [...read(document).matchAll(/\]\(([^)#]+)/g)].map((match) => match[1]!)
    const missing = targets
      .filter((target) => !/^https?:/.test(target))
      .filter((target) => !exists(join(root, dirname(document), target)))
    expect(missing).toEqual([])
  })
})

/** As forges make anchors of headings. */
function slug(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\w -]/g, '')
    .replaceAll(' ', '-')
}

function markdownIn(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `${folder}/${name}`)
}

function exists(path: string): boolean {
  try {
    return readdirSync(dirname(path)).includes(path.split('/').at(-1)!)
  } catch {
    return false
  }
}

/** Names of the values that a file exports from others. */
function valuesOf(file: string): string[] {
  const source = ts.createSourceFile(file, read(file), ts.ScriptTarget.Latest)
  return source.statements.flatMap((statement) => {
    if (!ts.isExportDeclaration(statement) || statement.isTypeOnly) return []
    const { exportClause } = statement
    if (exportClause === undefined || !ts.isNamedExports(exportClause)) return []
    return exportClause.elements
      .filter(({ isTypeOnly }) => !isTypeOnly)
      .map(({ name }) => name.text)
  })
}

/** Names of an interface's members, or literals of a union of strings, in their order. */
function membersOf(file: string, name: string): string[] {
  const source = ts.createSourceFile(file, read(file), ts.ScriptTarget.Latest)
  const found: string[] = []
  for (const statement of source.statements) {
    if (ts.isInterfaceDeclaration(statement) && statement.name.text === name)
      for (const { name: member } of statement.members)
        if (member !== undefined && ts.isIdentifier(member)) found.push(member.text)
    if (ts.isTypeAliasDeclaration(statement) && statement.name.text === name)
      statement.type.forEachChild((type) => {
        if (ts.isLiteralTypeNode(type) && ts.isStringLiteral(type.literal))
          found.push(type.literal.text)
      })
  }
  return found
}
