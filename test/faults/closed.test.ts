/** Kills, signals and errors at the calls of an ordinary user's commands on trees whose modes keep their owner out. */
import { describe } from 'vitest'
import { needs } from '../support/requires.ts'
import { closedScenarios } from './closed-scenarios.ts'
import { testScenarios } from './run-scenarios.ts'

describe.runIf(needs('root', 'cc', 'x64', 'setpriv'))('a command on a closed tree', () => {
  testScenarios(closedScenarios)
})
