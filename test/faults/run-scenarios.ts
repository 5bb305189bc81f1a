/** Makes tests of scenarios. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ok, run } from '../support/run.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { Box } from './box.ts'
import { faultsFor, isLeftOut } from './faults.ts'
import { Injector } from './injector.ts'
import { mountsBelow, processesIn } from './observe.ts'
import type { Scenario } from './scenario.ts'
import { trial, undisturbed, type Stage } from './trial.ts'

const HOURS = 12 * 3_600_000

/** `home` is where the box is to be, if not anywhere; it is asked when the tests begin. */
export function testScenarios(scenarios: readonly Scenario[], home?: () => string): void {
  let stage: Stage
  let work: string

  beforeAll(() => {
    work = home?.() ?? makeTemporary()
    const box = new Box(work)
    stage = { box, injector: new Injector(work, [box.path, '/run/oci-unpack'], box.env) }
  })
  afterAll(() => {
    clear(`${work}/box`)
    removeTemporary(work)
  })

  for (const scenario of scenarios.filter(({ name }) => !isLeftOut(name)))
    test(`${scenario.name} survives faults`, { timeout: HOURS }, async () => {
      const failures: string[] = []
      const reference = await undisturbed(stage, scenario)
      for (const fault of faultsFor(scenario.name, reference.calls)) {
        clear(stage.box.path)
        failures.push(...(await trial(stage, scenario, reference, fault)))
      }
      clear(stage.box.path)
      expect(failures).toEqual([])
    })
}

/** What a failed run left must not disturb the next: processes, mounts, and subvolumes, which rm cannot remove. */
function clear(path: string): void {
  for (const line of processesIn(path)) kill(Number(line.split(' ')[0]))
  for (const mount of mountsBelow(path).toReversed()) ok('umount', '-l', mount)
  if (run('stat', '-f', '-c', '%T', path).stdout !== 'btrfs\n') return
  const found = ok('find', path, '-depth', '-inum', '256', '-type', 'd').stdout
  for (const subvolume of found.split('\n').filter(Boolean))
    ok('btrfs', 'subvolume', 'delete', subvolume)
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // it has ended by itself
  }
}
