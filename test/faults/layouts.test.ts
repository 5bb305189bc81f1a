/** Kills, signals and errors at the calls of the commands that change layouts and archives. */
import { describe } from 'vitest'
import { needs } from '../support/requires.ts'
import { layoutScenarios } from './layout-scenarios.ts'
import { testScenarios } from './run-scenarios.ts'

describe.runIf(needs('root', 'cc', 'x64'))('a command on a layout', () => {
  testScenarios(layoutScenarios)
})
