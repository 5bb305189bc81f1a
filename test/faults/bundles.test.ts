/** Kills, signals and errors at the calls of the commands that make, read and remove trees without hooks. */
import { describe } from 'vitest'
import { needs } from '../support/requires.ts'
import { bundleScenarios, hookedSelecting, treeScenarios } from './bundle-scenarios.ts'
import { testScenarios } from './run-scenarios.ts'

describe.runIf(needs('root', 'cc', 'x64'))('a command on a tree', () => {
  testScenarios([...treeScenarios, ...bundleScenarios(''), hookedSelecting()])
})
