/** The type of a case. */
import type { HookSet } from '../hooks/calls.ts'
import { hookName, type HookPoint } from '../hooks/points.ts'
import type { Bench } from './bench.ts'

export interface Case {
  name: string
  /** The part of the contract that is tested, in one or two sentences. */
  contract: string
  /** Points without which there is nothing to test. */
  needs: readonly HookPoint[]
  /** @throws Broken, and what the engine throws */
  run(bench: Bench): Promise<void>
}

/** Why a set cannot run a case; undefined if it can. */
export function whyNot({ needs }: Case, { points }: HookSet): string | undefined {
  const missing = needs.find((point) => !points.has(point))
  return missing === undefined ? undefined : `the set has no ${hookName(missing)}`
}
