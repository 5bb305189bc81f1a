/** Runs the kit on hooks of the tests, with a store of their own. */
import { cpSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ConformanceReport, TestHooksOptions } from '../../src/index.ts'
import { ociUnpackCommand } from '../e2e/cli.ts'
import { library } from '../support/dist.ts'
import { longTests } from '../support/requires.ts'

const programs = new URL('programs/', import.meta.url).pathname
const sets = new URL('../../hooks/', import.meta.url).pathname

/** The case that takes as long as all others together many times. */
export const LONG_CASE = 'killed after every call'

/** The case that a set without mounts has no part in. */
export const NO_MOUNT = 'unmounted and mounted again'

/** The cases that only a set with images has a part in. */
export const IMAGES = ['layers that were never joined', 'damaged images']

/** A few short cases, unless OCI_UNPACK_LONG_TESTS=1. */
export function casesToRun(): Pick<TestHooksOptions, 'cases'> {
  return longTests() ? {} : { cases: SHORT_CASES }
}

const SHORT_CASES = [
  'cold unpack',
  'warm unpack',
  'links across layers',
  'failing post-extract',
  'delta-list',
  'refresh',
  NO_MOUNT,
  ...IMAGES,
  'renamed parent',
  'delete',
  'gc'
]

/** A set as it is shipped, whose store is below `home`; gives the path of its hooks.toml. `env` is for the pool set. */
export function shippedSet(
  name: string,
  home: string,
  env: Readonly<Record<string, string>> = {}
): string {
  cpSync(join(sets, name), join(home, 'set'), { recursive: true })
  const file = join(home, 'set/hooks.toml')
  const text = readFileSync(file, 'utf8')
    .replace(/^(STORE|POOL) = .*$/m, `$1 = "${home}/store"`)
    .replace(/^BACKEND = .*$/m, (line) =>
      [env.BACKEND === undefined ? line : '', ...Object.entries(env).map(assignment)].join('\n')
    )
    .replace(/^# PROGRAM = .*$/m, `PROGRAM = "${home}/oci-unpack"`)
  writeFileSync(file, text, { mode: 0o600 })
  const command = ociUnpackCommand.map((word) => `'${word}'`).join(' ')
  writeFileSync(join(home, 'oci-unpack'), `#!/bin/sh\nexec ${command} "$@"\n`, { mode: 0o700 })
  return file
}

const assignment = ([key, value]: [string, string]): string => `${key} = "${value}"`

/** The plain store as a program that answers many calls. */
export function sessionSet(home: string): string {
  const command = [process.execPath, `${programs}session.mjs`, `${programs}plain-store.mjs`]
  const points = ['prepare', 'layer.try-skip', 'layer.pre-extract', 'layer.post-extract', 'finish']
  const tables = [...points, 'abort'].map((point) => `unpack.ociv1.${point}`).concat('store.gc')
  mkdirSync(home, { recursive: true })
  const file = join(home, 'hooks.toml')
  const head = `version = 1\nname = "session"\nextract = "chain"\n[env]\nSTORE = "${home}/store"\n`
  const hooks = tables.map(
    (table) => `[${table}]\ncommand = ${JSON.stringify(command)}\nmode = "session"\n`
  )
  writeFileSync(file, [head, ...hooks].join('\n'), { mode: 0o600 })
  return file
}

/** The plain store as functions, with one defect or none. */
export async function testFunctions(
  home: string,
  options: TestHooksOptions,
  defect = ''
): Promise<ConformanceReport> {
  const before = { STORE: process.env.STORE, DEFECT: process.env.DEFECT }
  Object.assign(process.env, { STORE: `${home}/store`, DEFECT: defect })
  try {
    return await testIn(home, `${programs}plain-store.mjs`, options)
  } finally {
    for (const [name, value] of Object.entries(before))
      if (value === undefined) Reflect.deleteProperty(process.env, name)
      else process.env[name] = value
  }
}

/** With bundles below `home` as well. */
export async function testIn(
  home: string,
  hooks: string,
  options: TestHooksOptions
): Promise<ConformanceReport> {
  return library.testHooks({ hooks, directory: join(home, 'bundles'), gc: true, ...options })
}

/** What a run of good hooks has: nothing but rows that passed, and cases that the set has no part in, sorted. */
export function notPassed({ rows }: ConformanceReport): unknown[] {
  const others = rows.flatMap(({ case: name, verdict }): unknown[] => {
    if (verdict.kind === 'passed') return []
    return verdict.kind === 'skipped' ? [name] : [verdict.failure]
  })
  return others.sort()
}

/** Names in the directory of bundles, which a run leaves empty. */
export function leftBehind(home: string): string[] {
  return readdirSync(join(home, 'bundles'))
}
