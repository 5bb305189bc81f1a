/** Holds what the documents list to the declarations that they list. */
import { readFileSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import { LIMIT_FLAGS } from '../src/cli/flags.ts'

const root = new URL('../', import.meta.url).pathname
const read = (file: string): string => readFileSync(join(root, file), 'utf8')
const library = read('docs/library.md')

test('library.md explains every error code, and no other', () => {
  const documented = [...library.matchAll(/^\| `([A-Z_]+)` /gm)].map((match) => match[1])
  expect(documented).toEqual(membersOf('src/errors.ts', 'ErrorCode'))
})

test('library.md lists every function that can be imported', () => {
  const exported = [...read('src/index.ts').matchAll(/^export \{ (.*?) \}/gm)]
    .flatMap((match) => match[1]!.split(', '))
    .filter((name) => /^[a-z]/.test(name) && !name.startsWith('type '))
  expect(exported).toContain('unpack')
  for (const name of exported) expect(library).toContain(`| \`${name}\` `)
})

test('library.md explains every option of an unpack', () => {
  const options = membersOf('src/engine/unpack-options.ts', 'UnpackOptions')
  expect(options).toContain('onEvent')
  for (const option of options)
    expect(library).toMatch(new RegExp(`^\\| .*\`${option}\`.* \\|`, 'm'))
})

test('extraction.md has every limit with its flag', () => {
  const extraction = read('docs/extraction.md')
  const limits = membersOf('src/engine/unpack-options.ts', 'UnpackLimits')
  expect(limits).toHaveLength(LIMIT_FLAGS.length)
  for (const limit of limits) expect(extraction).toContain(`\`limits.${limit}\``)
  for (const { name, summary } of LIMIT_FLAGS) {
    const standard = /default: (.*?)\)/.exec(summary)?.[1]
    const row = new RegExp(`\\| \`--${name}\` +\\| ${standard!} +\\|`)
    expect(extraction).toMatch(row)
  }
})

describe('links to files', () => {
  const documents = ['README.md', 'CHANGELOG.md', ...markdownIn('docs')]

  test.each(documents)('of %s lead somewhere', (document) => {
    const targets = [...read(document).matchAll(/\]\(([^)#]+)/g)].map((match) => match[1]!)
    const missing = targets
      .filter((target) => !/^https?:/.test(target))
      .filter((target) => !exists(join(root, dirname(document), target)))
    expect(missing).toEqual([])
  })
})

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
