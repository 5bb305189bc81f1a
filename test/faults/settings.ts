/**
 * How much is tried, and in which order: `OCI_UNPACK_FAULTS=SIZE[@SEED]`. A SIZE is the number of faults for each
 * scenario and of rounds for each race (0.1: a tenth of the scenarios gets one), or `every:K` for every K-th of all
 * faults. `OCI_UNPACK_FAULT=SCENARIO/KIND/CALL/NTH` repeats one.
 */
import { appendFileSync } from 'node:fs'
import { SMALL } from './one-seed.ts'

export type Size = { faults: number } | { every: number }

const text = process.env.OCI_UNPACK_FAULTS ?? SMALL
const [sizeText = '', seedText] = text.split('@')

export const size: Size = sizeOf(sizeText)
export const seed = Number(seedText ?? 0)
export const repeated: string | undefined = process.env.OCI_UNPACK_FAULT

function sizeOf(given: string): Size {
  const every = /^every:([1-9]\d*)$/.exec(given)?.[1]
  if (every !== undefined) return { every: Number(every) }
  if (/^\d+(\.\d+)?$/.test(given)) return { faults: Number(given) }
  throw new Error(`OCI_UNPACK_FAULTS=${text}: neither a number nor every:K`)
}

/** How often a race or a crowd is tried. */
export const rounds = 'every' in size ? 20 : Math.ceil(Math.min(20, size.faults))

/** Whether this sample has a part for a scenario. */
export function isInSample(name: string): boolean {
  return 'every' in size || size.faults >= 1 || randomFor(`${name}?`)() < size.faults
}

/** Numbers from 0 up to 1 that follow from the seed and a name (mulberry32). */
export function randomFor(name: string): () => number {
  let state = Buffer.from(name).reduce((hash, byte) => Math.imul(hash ^ byte, 0x01000193), seed)
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export type Counted = 'kills' | 'errors' | 'signals' | 'races' | 'crowds' | 'obstacles' | 'commands'

/** For the totals that `npm run faults` prints. */
export function count(what: Counted): void {
  record({ what })
}

/** For its list of what failed. */
export function countFailure(failure: string): void {
  record({ failure })
}

function record(line: object): void {
  const file = process.env.OCI_UNPACK_FAULTS_RECORD
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(line)}\n`)
}
