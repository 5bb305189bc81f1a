/**
 * Which programs the tests ran, collected over all workers of one test run: a line of JSON for each. Where nobody
 * collects (OCI_UNPACK_TEST_RECORD is not set), nothing is written.
 */
import { appendFileSync, readFileSync } from 'node:fs'
import { expect } from 'vitest'

const VARIABLE = 'OCI_UNPACK_TEST_RECORD'

/** The programs, as they stand among the arguments of whatever starts them: `env`, `sh -c`, `node`. */
const BUILT = /\/dist\/main\.js$/
const UMOCI = 'umoci'

export interface RecordedRun {
  program: 'oci-unpack' | 'umoci'
  args: readonly string[]
  status: number | null
  /** File and name of the test; all hooks of a file have one name. */
  test: string
}

interface Missing {
  missing: readonly string[]
}

/** Workers inherit the environment of the process that starts them. */
export function collectRunsIn(file: string): void {
  process.env[VARIABLE] = file
}

/** Keeps a run of one of the two programs. */
export function recordRun(command: readonly string[], status: number | null): void {
  const at = command.findIndex((word) => BUILT.test(word) || word === UMOCI)
  if (at === -1) return
  const { testPath = '', currentTestName = '' } = expect.getState()
  append({
    program: command[at] === UMOCI ? UMOCI : 'oci-unpack',
    args: command.slice(at + 1),
    status,
    test: `${testPath} > ${currentTestName}`
  })
}

/** Notes that tests were left out for want of these. */
export function recordMissing(missing: readonly string[]): void {
  append({ missing })
}

export function readRecord(file: string): { runs: RecordedRun[]; missing: string[] } {
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1)
  const records = lines.map((line) => JSON.parse(line) as RecordedRun | Missing)
  return {
    runs: records.filter((it) => 'program' in it),
    missing: [...new Set(records.flatMap((it) => ('missing' in it ? it.missing : [])))]
  }
}

function append(record: RecordedRun | Missing): void {
  const file = process.env[VARIABLE]
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(record)}\n`)
}
