import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { layerTar } from '../reference/layer-tar.ts'
import { maskedStack } from '../reference/random-layers.ts'
import { applySerially, isRejected, type Member } from '../reference/serial.ts'
import { snapshot } from '../reference/snapshot.ts'
import { library } from '../support/dist.ts'
import { needs } from '../support/requires.ts'
import { codeOf, inScratch, optionsFor } from './support.ts'

const runs = Number(process.env['OCI_UNPACK_PROPERTY_RUNS'] ?? 100) / 5

test.runIf(needs('root'))(
  'an image unpacked in threads equals its layers applied in order, on every field',
  async () => {
    const seed = Number(process.env['OCI_UNPACK_SEED'] ?? Date.now() % 1_000_000)
    console.log(`images of random layers: ${runs} runs, seed ${seed}`)
    await fc.assert(
      fc.asyncProperty(maskedStack, (layers) => inScratch((work) => compare(work, layers))),
      { seed, numRuns: runs }
    )
  }
)

async function compare(work: string, layers: Member[][]): Promise<void> {
  const options = { ...optionsFor(work, layers.map(layerTar)), jobs: 3 }
  if (isRejected(() => applySerially(`${work}/serial`, layers, false))) {
    expect(await codeOf(library.unpackRootfs(options))).toBe('ENTRY_INVALID')
    return
  }
  await library.unpackRootfs(options)
  expect(snapshot(options.destination)).toBe(snapshot(`${work}/serial`))
}
