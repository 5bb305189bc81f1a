/** Kills, signals and errors at the calls of commands with each shipped set of hooks, and at those of the set's programs. */
import { afterAll, beforeAll, describe } from 'vitest'
import { shippedSet } from '../conformance/kit.ts'
import { makeWithin, mountNew, requirementsOf, type Mounted } from '../support/loop.ts'
import { needs } from '../support/requires.ts'
import { bundleScenarios } from './bundle-scenarios.ts'
import { testScenarios } from './run-scenarios.ts'

const SETS = [
  ['overlay', 'tmpfs', ['overlay']],
  ['overlay', 'ext4', ['overlay']],
  ['pool', 'btrfs', []],
  ['pool', 'ext4', []]
] as const

describe.each(
  SETS.filter(([, type, more]) => needs('cc', 'x64', 'setfattr', ...more, ...requirementsOf(type)))
)('with the %s set on %s', (set, type) => {
  let disk: Mounted

  beforeAll(() => {
    disk = mountNew(type)
  })
  afterAll(() => disk.release())

  const scenarios = bundleScenarios(`${set} on ${type}: `, (home) => shippedSet(set, home))
  testScenarios(scenarios, () => makeWithin(disk))
})
