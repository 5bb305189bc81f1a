/**
 * Holds src to the table of rooms: which room may import which, and what may reach outside.
 * Each failure is the chain of imports that leads where it may not.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import ts from 'typescript'
import { expect, test } from 'vitest'
import { GROUND, PACKAGES, PURE, ROOMS, roomOf, roomTable } from './rooms.ts'

const IMPURE = ['node:fs', 'node:child_process', 'node:worker_threads', 'koffi']

const src = new URL('../src/', import.meta.url).pathname

interface Import {
  from: string
  /** A file of src, or a module: `node:fs`, `koffi`. */
  to: string
  typeOnly: boolean
  /** `import('…')`: only when it is run. */
  lazy?: boolean
}

const files = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.generated.ts'))
  .sort()
const imports = files.flatMap(importsOf)
const inside = imports.filter(({ to }) => to.endsWith('.ts') && !to.endsWith('.generated.ts'))

test('the walk sees the files and their imports', () => {
  expect(files).toContain('engine/unpack.ts')
  expect(imports).toContainEqual({ from: 'sys/libc.ts', to: 'koffi', typeOnly: false })
  expect(imports).toContainEqual({ from: 'index.ts', to: 'engine/unpack.ts', typeOnly: false })
  expect(imports).toContainEqual({
    from: 'plan/pack-entry.ts',
    to: 'tar/entry.ts',
    typeOnly: true
  })
})

test('every file is in a room of the table', () => {
  expect(files.filter((file) => ROOMS[roomOf(file)] === undefined)).toEqual([])
})

test('every file begins with a comment that says what it is for', () => {
  const without = files.filter(
    (file) => !/^(#!.*\n)?\/\*\*/.test(readFileSync(join(src, file), 'utf8'))
  )
  expect(without).toEqual([])
})

test('the table leads downwards only', () => {
  const names = Object.keys(ROOMS)
  const place = (name: string): number =>
    names.indexOf(ROOMS[name] === undefined ? roomOf(name) : name)
  const upwards = Object.entries(ROOMS).flatMap(([name, { values, types = [] }]) =>
    [...values, ...types]
      .filter((below) => place(below) <= place(name))
      .map((below) => `${name} → ${below}`)
  )
  expect(upwards).toEqual([])
})

test('docs/architecture.md shows the table', () => {
  const page = readFileSync(new URL('../docs/architecture.md', import.meta.url), 'utf8')
  const shown = page
    .split('\n')
    .flatMap((line) => /^\| (`.*) \|$/.exec(line)?.[1] ?? [])
    .map((line) => line.replace(/ +\| +/g, ' | ').trimEnd())
  expect(shown).toEqual(roomTable())
})

test('a room imports only rooms that the table allows it', () => {
  const forbidden = inside.filter(({ from, to, typeOnly }) => {
    if (roomOf(from) === roomOf(to) || GROUND.includes(to)) return false
    const { values, types = [] } = ROOMS[roomOf(from)]!
    return ![...values, ...(typeOnly ? types : [])].some((allowed) => isAllowed(to, allowed))
  })
  expect(forbidden.map(show)).toEqual([])
})

test('a room uses only the modules of Node that the table allows it', () => {
  const forbidden = imports.filter(({ from, to }) => {
    const module = /^node:(.*)/.exec(to)?.[1]
    return module !== undefined && ROOMS[roomOf(from)]!.node?.includes(module) !== true
  })
  expect(forbidden.map(show)).toEqual([])
})

test('each package has exactly one file that imports it', () => {
  const used = imports.filter(({ to }) => !to.endsWith('.ts') && !to.startsWith('node:'))
  expect(used.filter(({ from, to }) => PACKAGES[to] !== from).map(show)).toEqual([])
  expect(new Set(used.map(({ to }) => to))).toEqual(new Set(Object.keys(PACKAGES)))
})

test('no value in a pure room leads to the disk, to a process or to a thread', () => {
  const starts = files.filter((file) => PURE.includes(roomOf(file)))
  const chains = starts.flatMap((start) => chainTo(start, (to) => IMPURE.includes(to)) ?? [])
  expect(chains).toEqual([])
})

test('commands that only read documents load no native code and no threads', () => {
  // transports open layouts by an import of their own, which is lazy
  const starts = ['cli/run.ts', 'cli/run-list.ts', 'cli/run-stat.ts', 'store/layout.ts']
  const slow = ['koffi', 'p-limit', 'node:worker_threads', 'node:zlib']
  const eager = imports.filter(({ typeOnly, lazy }) => !typeOnly && !lazy)
  expect(eager.some(({ from }) => from === 'cli/run-stat.ts')).toBe(true)
  const chains = starts.flatMap((start) => chainTo(start, (to) => slow.includes(to), eager) ?? [])
  expect(chains).toEqual([])
})

test('rooms do not import each other in a circle, not even types', () => {
  const circles = inside.flatMap(({ from, to }) => {
    if (roomOf(from) === roomOf(to)) return []
    const back = chainTo(to, (next) => roomOf(next) === roomOf(from), inside)
    return back === undefined ? [] : [`${from} → ${back}`]
  })
  expect(circles).toEqual([])
})

test('files do not import each other in a circle, not even types', () => {
  const circles = files.flatMap((file) => chainTo(file, (next) => next === file, inside) ?? [])
  expect(circles).toEqual([])
})

/** The shortest chain of imports from a file to what is looked for, as text. */
function chainTo(
  start: string,
  isTarget: (file: string) => boolean,
  edges: readonly Import[] = imports.filter(({ typeOnly }) => !typeOnly)
): string | undefined {
  const seen = new Set<string>()
  const queue = [[start]]
  for (let chain = queue.shift(); chain !== undefined; chain = queue.shift())
    for (const { from, to } of edges) {
      if (from !== chain.at(-1)) continue
      if (isTarget(to)) return [...chain, to].join(' → ')
      if (!seen.has(to)) queue.push([...chain, to])
      seen.add(to)
    }
  return undefined
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(src, file), 'utf8')
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
  const found: Import[] = []
  const visit = (node: ts.Node): void => {
    const made = readImport(node)
    if (made !== undefined) found.push({ from: file, ...made, to: resolve(file, made.to) })
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

/** Declarations, `import('…')` as an expression and `import('…').Type`. */
function readImport(node: ts.Node): Omit<Import, 'from'> | undefined {
  if (ts.isImportDeclaration(node))
    return named(
      node.moduleSpecifier,
      node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword
    )
  if (ts.isExportDeclaration(node)) return named(node.moduleSpecifier, node.isTypeOnly)
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument))
    return named(node.argument.literal, true)
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
    return named(node.arguments[0], false, true)
  return undefined
}

function named(
  specifier: ts.Node | undefined,
  typeOnly: boolean,
  lazy = false
): Omit<Import, 'from'> | undefined {
  if (specifier === undefined || !ts.isStringLiteralLike(specifier)) return undefined
  return { to: specifier.text, typeOnly, ...(lazy ? { lazy } : {}) }
}

function resolve(file: string, module: string): string {
  return module.startsWith('.') ? join(dirname(file), module) : module
}

function isAllowed(file: string, allowed: string): boolean {
  return file === allowed || roomOf(file) === allowed || isFace(roomOf(file), allowed)
}

/** A room above the engine may import what a chapter of it gives away. */
function isFace(room: string, allowed: string): boolean {
  return allowed === 'engine' && room.startsWith('engine/')
}

function show({ from, to, typeOnly }: Import): string {
  return `${from} → ${to}${typeOnly ? ' (types)' : ''}`
}
