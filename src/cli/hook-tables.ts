/** Descriptions of hooks and of their tests, for people. */
import type {
  CollectStoreResult,
  ConformanceReport,
  ConformanceRow,
  Failure,
  HookPointDescription,
  HookTestCase,
  HooksDescription
} from '../index.ts'
import { display, fromText } from '../bytes.ts'
import type { Paint, Style } from './paint.ts'

export function formatDescription(hooks: HooksDescription): string {
  const { name, file, extract, whiteouts, manifest, precision, xattrs, rootless, storage } = hooks
  const form = whiteouts === undefined ? '' : `, whiteouts ${whiteouts}`
  const times = precision === 'seconds' ? ', precision seconds' : ''
  const attributes = xattrs === undefined ? '' : `, xattrs ${xattrs.join(' ') || 'none'}`
  const apart = rootless ? ', rootless' : ''
  const settings = `extract ${extract}${form}, manifest ${manifest}${times}${attributes}${apart}`
  const stored = storage === undefined ? '' : `storage ${shown(storage)}\n`
  const head = `${shown(name)}: ${shown(file)}\n${settings}\n${stored}`
  return `${head}\n${table([HEADINGS, ...hooks.points.map(cells)])}`
}

const HEADINGS = ['POINT', 'MODE', 'TIMEOUT', 'COMMAND']

function cells({ point, hook }: HookPointDescription): string[] {
  if (hook === undefined) return [point, '-', '-', '-']
  const fallback = hook.fallback === undefined ? '' : ` (if it fails: ${hook.fallback})`
  const command = hook.command.map(quoted).join(' ')
  return [point, hook.mode, duration(hook.timeout), `${command}${fallback}`]
}

function duration(milliseconds: number): string {
  if (milliseconds % 60_000 === 0) return `${milliseconds / 60_000}m`
  return milliseconds % 1000 === 0 ? `${milliseconds / 1000}s` : `${milliseconds}ms`
}

/** As a user would write it in a shell, although hooks are started without one. */
function quoted(argument: string): string {
  const text = shown(argument)
  return /^[\w./:=@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}

const STYLES: Readonly<Record<ConformanceRow['verdict']['kind'], Style>> = {
  passed: 'green',
  skipped: 'yellow',
  failed: 'red'
}

export function formatRow(
  { case: name, verdict, milliseconds }: ConformanceRow,
  paint: Paint
): string {
  const seconds = `${(milliseconds / 1000).toFixed(1)} s`
  const kind = paint(STYLES[verdict.kind], verdict.kind.padEnd(7))
  const row = `${kind}  ${seconds.padStart(7)}  ${shown(name)}\n`
  switch (verdict.kind) {
    case 'passed':
      return row
    case 'skipped':
      return row + indented('', verdict.reason)
    case 'failed':
      return row + formatFailure(verdict.failure)
  }
}

function formatFailure({ asked, contract, seen, sameAs }: Failure): string {
  if (sameAs !== undefined) return indented('', `for the same reason as "${sameAs}"`)
  return (
    indented('asked     ', asked) + indented('contract  ', contract) + indented('seen      ', seen)
  )
}

const INDENT = ' '.repeat(9)

function indented(label: string, text: string): string {
  const [first = '', ...more] = text.split('\n').map(shown)
  const below = INDENT + ' '.repeat(label.length)
  return [`${INDENT}${label}${first}`, ...more.map((line) => below + line)].join('\n') + '\n'
}

export function formatSummary({ hooks, rows, scratch }: ConformanceReport): string {
  const count = (kind: string): number => rows.filter(({ verdict }) => verdict.kind === kind).length
  const left = scratch === undefined ? '' : `left: ${shown(scratch)}\n`
  const counts = `${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped`
  return `${shown(hooks)}: ${counts}\n${left}`
}

export function formatCases(cases: readonly HookTestCase[]): string {
  return cases.map(({ name, contract }) => `${name}\n${indented('', contract)}`).join('')
}

export function formatCollected({ hooks, liveKeys, removed }: CollectStoreResult): string {
  const needed = `${layerCount(liveKeys)} needed`
  if (removed === undefined)
    return `${shown(hooks)}: ${needed}; the hooks did not say what they removed\n`
  return `${shown(hooks)}: ${layerCount(removed)} removed, ${needed}\n`
}

function layerCount({ length }: readonly string[]): string {
  return length === 1 ? '1 layer' : `${length} layers`
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_cell, column) =>
    Math.max(...rows.map((row) => row[column]!.length))
  )
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd()
  return `${rows.map(line).join('\n')}\n`
}

function shown(text: string): string {
  return display(fromText(text))
}
