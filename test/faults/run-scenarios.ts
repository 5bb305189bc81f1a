/** Makes tests of scenarios. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { Box } from './box.ts'
import { clear } from './clear.ts'
import { faultsFor, isLeftOut } from './faults.ts'
import { Injector } from './injector.ts'
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

  for (const scenario of scenarios)
    test.skipIf(isLeftOut(scenario.name))(
      `${scenario.name} survives faults`,
      { timeout: HOURS },
      async () => {
        const failures: string[] = []
        const reference = await undisturbed(stage, scenario)
        for (const fault of faultsFor(scenario.name, reference.calls)) {
          failures.push(...(await trial(stage, scenario, reference, fault)))
        }
        expect(failures).toEqual([])
      }
    )
}
