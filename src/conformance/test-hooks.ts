/** The conformance kit: checks that hooks keep their contract. */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fromText } from '../bytes.ts'
import { throwIfAborted } from '../engine/operation/abort.ts'
import { asked } from '../engine/operation/asked.ts'
import { OciUnpackError } from '../errors.ts'
import { hookName } from '../hooks/points.ts'
import type { TraceRecord } from '../hooks/trace.ts'
import { withCacheDirectory } from '../sys/cache-directory.ts'
import { makeDirectories } from '../sys/make-directories.ts'
import { mountsBelow } from '../sys/mounts.ts'
import { Bench } from './bench.ts'
import { describeCall } from './calls.ts'
import { whyNot, type Case } from './case.ts'
import { collecting } from './cases/collecting.ts'
import { CASES } from './cases/index.ts'
import { realImage } from './cases/real-image.ts'
import {
  Broken,
  type ConformanceReport,
  type ConformanceRow,
  type Failure,
  type Verdict
} from './report.ts'
import { locateHooks, openHooks } from './source.ts'

export interface TestHooksOptions {
  /**
   * Path of a hooks.toml, or of a JavaScript module whose default export is hook functions. Default: the hooks.toml
   * that an unpack would find. Child processes load a module too.
   */
  hooks?: string
  /** Images to unpack as well, each `[TRANSPORT:]PATH[:TAG]`. */
  images?: readonly string[]
  /** Only these cases, by name. */
  cases?: readonly string[]
  /**
   * Also test `store.gc`. It removes the layers of all images but one of the kit, so never use it on a store that is in
   * use.
   */
  gc?: boolean
  /** Where the scratch directory with all bundles is made. Default: the system's temporary directory. */
  directory?: string
  /** Keep the scratch directory. */
  keep?: boolean
  signal?: AbortSignal
  /** Called with each row as soon as it is known. */
  onRow?: (row: ConformanceRow) => void
}

export interface HookTestCase {
  /** For the option `cases`. */
  name: string
  /** What it tests. */
  contract: string
}

/** All cases of `testHooks`, in the order in which they run; images that a caller names become further ones. */
export function hookTestCases(): HookTestCase[] {
  return CASES.map(({ name, contract }) => ({ name, contract }))
}

/**
 * Runs hooks on small made-up images, in all situations that the contract covers, and compares every tree with the
 * engine's own. Layers that no case removes stay in the store; each run makes new ones. What the engine keeps in the user's
 * cache otherwise is kept in the scratch directory.
 * @throws HOOKS_INVALID, HOOKS_UNSAFE, USAGE, ABORTED, and what reading `images` throws
 */
export async function testHooks(options: TestHooksOptions = {}): Promise<ConformanceReport> {
  return asked({}, () => runAll(options))
}

async function runAll(options: TestHooksOptions): Promise<ConformanceReport> {
  const { directory = tmpdir(), keep = false, onRow = () => undefined } = options
  const cases = chooseCases(options)
  const file = locateHooks(options.hooks)
  const set = await openHooks(file)
  makeDirectories(resolve(directory))
  const scratch = mkdtempSync(join(realpathSync(directory), 'oci-unpack-hooks-'))
  let left = true
  try {
    const bench = new Bench(file, set, scratch, options.signal)
    const rows: ConformanceRow[] = []
    for (const each of cases) {
      throwIfAborted(options.signal)
      const ran = await withCacheDirectory(join(scratch, 'cache'), () =>
        runCase(bench, each, options)
      )
      const row = withKnownCause(ran, rows)
      rows.push(row)
      onRow(row)
    }
    left = keep || !removeScratch(scratch)
    const ok = rows.every(({ verdict }) => verdict.kind !== 'failed')
    return { hooks: set.name, ok, rows, ...(left ? { scratch } : {}) }
  } finally {
    if (left && !keep) removeScratch(scratch)
    await set.close()
  }
}

function chooseCases({ images = [], cases }: TestHooksOptions): Case[] {
  const all = [...CASES, ...images.map(realImage)]
  if (cases === undefined) return all
  const unknown = cases.find((name) => all.every((each) => each.name !== name))
  if (unknown === undefined) return all.filter(({ name }) => cases.includes(name))
  throw new OciUnpackError('USAGE', 'There is no such case.', {
    facts: { found: unknown, available: all.map(({ name }) => name).join(', ') }
  })
}

async function runCase(
  bench: Bench,
  each: Case,
  { gc = false }: TestHooksOptions
): Promise<ConformanceRow> {
  const start = performance.now()
  let verdict: Verdict
  try {
    verdict = await judge(bench, each, gc)
  } finally {
    await bench.tidy()
  }
  return { case: each.name, verdict, milliseconds: Math.round(performance.now() - start) }
}

async function judge(bench: Bench, each: Case, gc: boolean): Promise<Verdict> {
  const reason = each === collecting && !gc ? NO_GC : whyNot(each, bench.set)
  if (reason !== undefined) return { kind: 'skipped', reason }
  try {
    await each.run(bench)
    return { kind: 'passed' }
  } catch (error) {
    throwIfAborted(bench.stop.signal)
    return { kind: 'failed', failure: explain(bench, each, error) }
  }
}

/** A hook that is broken fails in most cases, and what is wrong with it is worth telling once. */
function withKnownCause(row: ConformanceRow, rows: readonly ConformanceRow[]): ConformanceRow {
  const cause = causeOf(row)
  const first = rows.find((other) => cause !== undefined && causeOf(other) === cause)
  if (first === undefined || row.verdict.kind !== 'failed') return row
  const failure = { ...row.verdict.failure, sameAs: first.case }
  return { ...row, verdict: { kind: 'failed', failure } }
}

/** What was seen, without what is different in each case: paths, digests and numbers. */
function causeOf({ verdict }: ConformanceRow): string | undefined {
  if (verdict.kind !== 'failed' || !/^hook: /m.test(verdict.failure.seen)) return undefined
  return verdict.failure.seen
    .split('\n')
    .filter((line) => !/^(?:layer|image|path): /.test(line))
    .join('\n')
    .replaceAll(/\/[^\s:]*|[0-9a-f]{16,}|\d+/g, '…')
}

const NO_GC =
  'it would remove the layers of all other images; request it only if the storage is for tests'

function explain(bench: Bench, { contract }: Case, error: unknown): Failure {
  const last = cause(bench.calls)
  const asked = last === undefined ? 'nothing yet' : describeCall(last)
  if (error instanceof Broken) return { asked, contract, ...error.failure }
  if (error instanceof OciUnpackError) return { asked, contract, seen: sentences(error) }
  throw error
}

/** The last call before the engine gave up; an abort after it is only a consequence. */
function cause(calls: readonly TraceRecord[]): TraceRecord | undefined {
  return (
    calls.findLast(({ outcome }) => outcome.status === 'failed') ??
    calls.findLast(({ hook }) => hook !== hookName('abort'))
  )
}

function sentences({ message, code, facts }: OciUnpackError): string {
  const lines = Object.entries(facts).map(([name, fact]) => `${name}: ${fact}`)
  return [`${message} [${code}]`, ...lines].join('\n')
}

/**
 * Keeps it if something is mounted there, because those files do not belong to the kit. Returns whether it was removed.
 */
function removeScratch(scratch: string): boolean {
  if (mountsBelow(fromText(scratch)).length > 0) return false
  try {
    rmSync(scratch, { recursive: true, force: true })
    return true
  } catch {
    return false // hooks left a volume behind
  }
}
