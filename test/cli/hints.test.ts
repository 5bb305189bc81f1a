/** Hints name options of the library; the command line shows them as its flags. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { expect, test } from 'vitest'
import { COMMANDS } from '../../src/cli/commands/index.ts'
import { formatError } from '../../src/cli/errors.ts'
import { flagOf, optionOf } from '../../src/cli/option-names.ts'
import { GLOBAL_FLAGS } from '../../src/cli/terminal.ts'
import { fromErrorRecord, OciUnpackError, toErrorRecord, withFacts } from '../../src/errors.ts'

const src = new URL('../../src/', import.meta.url).pathname
const flags = COMMANDS.flatMap((command) => command.flags)
const texts = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.generated.ts'))
  .filter((file) => !file.startsWith('cli/'))
  .flatMap(textsOf)

const error = new OciUnpackError('LIMIT_EXCEEDED', 'There are too many.', {
  hint: 'Raise {limits.entries}, or use no hooks ({hooks: undefined}), or print {"target": "/"}.'
})
const FOR_CALLERS =
  'Raise limits.entries, or use no hooks (hooks: undefined), or print {"target": "/"}.'
const FOR_PEOPLE = 'Raise --max-entries, or use no hooks (--no-hooks), or print {"target": "/"}.'

test('a hint names options for callers of the library and flags at the command line', () => {
  expect(error.hint).toBe(FOR_CALLERS)
  expect(formatError(error, false)).toContain(`\n  ${FOR_PEOPLE}\n`)
})

test('a hint keeps both readings on its way between threads and with more facts', () => {
  const again = withFacts(fromErrorRecord(toErrorRecord(error)), { image: 'a' }) as OciUnpackError
  expect(again.hint).toBe(FOR_CALLERS)
  expect(formatError(again, false)).toContain(`\n  ${FOR_PEOPLE}\n`)
})

test('every option that src names in braces has a flag', () => {
  const options = texts.flatMap((text) =>
    [...text.matchAll(/\{([a-z]\w*(?:\.\w+)*(?:: undefined)?)\}/gi)].map((match) => match[1]!)
  )
  expect(options).toContain('limits.ratio')
  expect(options.filter((option) => flagOf(option) === option)).toEqual([])
})

test('no text of src outside cli/ names a flag', () => {
  const names = [...GLOBAL_FLAGS, ...flags].map(({ name }) => name)
  const named = texts.filter((text) =>
    [...text.matchAll(/--([a-z][\w.-]*)/g)].some((match) => names.includes(match[1]!))
  )
  expect(named).toEqual([])
})

test('an option has the same flag in every command', () => {
  for (const flag of flags) expect(flagOf(optionOf(flag))).toBe(`--${flag.name}`)
})

/** Literals and the fixed parts of templates. */
function textsOf(file: string): string[] {
  const source = ts.createSourceFile(
    file,
    readFileSync(join(src, file), 'utf8'),
    ts.ScriptTarget.Latest
  )
  const found: string[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node)) found.push(node.text)
    if (ts.isTemplateMiddleOrTemplateTail(node)) found.push(node.text)
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}
