/** Kills, signals and errors at the calls of `erofs make`. */
import { describe } from 'vitest'
import { needs } from '../support/requires.ts'
import { erofsScenarios } from './erofs-scenarios.ts'
import { testScenarios } from './run-scenarios.ts'

describe.runIf(needs('root', 'cc', 'x64'))('erofs make', () => {
  testScenarios(erofsScenarios)
})
