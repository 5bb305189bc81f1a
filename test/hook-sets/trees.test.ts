/** Whatever the layers are, the tree that a set shows is the one that the engine makes without it, on every field. */
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { shippedSet } from '../conformance/kit.ts'
import { codeOf } from '../engine/support.ts'
import { layerTar } from '../reference/layer-tar.ts'
import { crowdedStack } from '../reference/random-layers.ts'
import { snapshot } from '../reference/snapshot.ts'
import { library } from '../support/dist.ts'
import { buildImage } from '../support/image-builder.ts'
import { makeWithin, mountNew, requirementsOf, type Mounted } from '../support/loop.ts'
import { needs } from '../support/requires.ts'
import { ok } from '../support/run.ts'
import { directory, file, symlink, tar } from '../support/tar-builder.ts'

const runs = Number(process.env['OCI_UNPACK_PROPERTY_RUNS'] ?? 90) / 30

const SETS = [
  ['overlay', 'ext4'],
  ['pool', 'btrfs'],
  ['pool', 'xfs'],
  ['pool', 'ext4']
] as const

describe.each(SETS.filter(([, type]) => needs('setfattr', ...requirementsOf(type))))(
  'the %s set on %s',
  (set, type) => {
    let disk: Mounted
    let hooks: string

    beforeAll(() => {
      disk = mountNew(type)
      hooks = shippedSet(set, disk.path)
    })
    afterAll(() => disk.release())

    test('gives no set-group-ID bit to what is below a directory that has it', async () => {
      const names = ['a', 'b', 'c']
      const below = names.flatMap((name) => [directory(`d/${name}/`), symlink(`d/${name}/l`, 'x')])
      const layers = [tar(directory('d/', { mode: 0o2755 }), ...below), tar(file('e'))]
      await compare(makeWithin(disk), hooks, layers)
    })

    test('shows the tree of a plain unpack, also when it has the layers already', async () => {
      const seed = Number(process.env['OCI_UNPACK_SEED'] ?? Date.now() % 1_000_000)
      console.log(`trees of the ${set} set: ${runs} runs, seed ${seed}`)
      await fc.assert(
        fc.asyncProperty(crowdedStack, (layers) =>
          compare(makeWithin(disk), hooks, layers.map(layerTar))
        ),
        // to find a smaller stack would take longer than to look at this one
        { seed, numRuns: runs, endOnFailure: true }
      )
    })
  }
)

async function compare(work: string, file: string, layers: readonly Buffer[]): Promise<void> {
  const { reference: image } = buildImage(join(work, 'layout'), { layers })
  const plain = join(work, 'plain')
  const expected = await codeOf(library.unpackRootfs({ image, destination: plain }))
  try {
    for (const name of ['cold', 'warm']) {
      const bundle = join(work, name)
      const found = await codeOf(library.unpack({ image, destination: bundle, hooks: { file } }))
      expect(found).toBe(expected)
      if (found !== 'no failure') continue
      expect(snapshot(join(bundle, 'rootfs'))).toBe(snapshot(plain))
      await library.deleteBundle({ bundle, hooks: { file } })
    }
  } finally {
    for (const name of ['cold', 'warm']) await removed(join(work, name), file)
    ok('rm', '-rf', work)
  }
}

/** After a failure: what is mounted must not stay. */
async function removed(bundle: string, file: string): Promise<void> {
  await library.deleteBundle({ bundle, hooks: { file } }).catch(() => undefined)
}
