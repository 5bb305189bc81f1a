/**
 * After a run of all end-to-end tests: fails where a declared command or flag was never passed to the built program,
 * or one of umoci's was never given to both programs in one test. Part of the tests says nothing, so it is not judged.
 */
import type { TestProject } from 'vitest/node'
import { uncomparedFlags, unusedFlags } from './flag-coverage.ts'
import { collectRunsIn, readRecord } from './run-record.ts'
import { makeTemporary, removeTemporary } from './temporary.ts'
import { umociFlags } from './umoci-flags.ts'

export function setup(project: TestProject): () => Promise<void> {
  const directory = makeTemporary()
  const file = `${directory}/runs`
  collectRunsIn(file)
  return async () => {
    try {
      if (await allPassed(project)) judge(file)
    } finally {
      removeTemporary(directory)
    }
  }
}

/** Whether all end-to-end tests ran, but for files that are for longer runs, and passed. */
async function allPassed(project: TestProject): Promise<boolean> {
  if (project.config.testNamePattern !== undefined) return false
  const done = project.vitest.state
    .getFiles()
    .filter(({ mode, result }) => mode === 'skip' || result?.state === 'pass')
    .map(({ filepath }) => filepath)
  const { testFiles } = await project.globTestFiles()
  return testFiles
    .filter((path) => path.includes('/test/e2e/'))
    .every((path) => done.includes(path))
}

/** Vitest only prints what a teardown throws, so the exit status is set here. */
function judge(file: string): void {
  const { runs, missing } = readRecord(file)
  if (missing.length > 0) {
    console.warn(`flags not judged without ${missing.join(', ')}`)
    return
  }
  const problems = [
    ...unusedFlags(runs).map((use) => `no end-to-end test passes: ${use}`),
    ...uncomparedFlags(runs, umociFlags()).map((use) => `not beside umoci: ${use}`)
  ]
  if (problems.length === 0) return
  console.error(['Flags without a test:', ...problems].join('\n  '))
  process.exitCode = 1
}
