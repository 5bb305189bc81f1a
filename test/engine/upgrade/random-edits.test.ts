/** Whatever was changed in a bundle, an upgrade to the same image makes the same tree again, in every field. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { OciUnpackError, unpack, upgradeBundle } from '../../../src/index.ts'
import { layerTar } from '../../reference/layer-tar.ts'
import { applyEdits, edits } from '../../reference/random-edits.ts'
import { layerStack } from '../../reference/random-layers.ts'
import { snapshot } from '../../reference/snapshot.ts'
import { buildImage } from '../../support/image-builder.ts'
import { needs } from '../../support/requires.ts'
import { makeTemporary, removeTemporary } from '../../support/temporary.ts'

const runs = Number(process.env['OCI_UNPACK_PROPERTY_RUNS'] ?? 25)

describe.runIf(needs('root'))('an upgrade to the same image', { timeout: runs * 4000 }, () => {
  test('gives the edited tree, full and lazy', async () => {
    const manifest = fc.constantFrom('full', 'lazy')
    const property = fc.asyncProperty(layerStack, edits, manifest, async (layers, list, kind) => {
      const work = makeTemporary()
      try {
        const image = buildImage(`${work}/layout`, { layers: layers.map(layerTar) }).reference
        const bundle = `${work}/old`
        if (!(await isUnpacked(image, bundle, kind))) return
        applyEdits(`${bundle}/rootfs`, list)
        const edited = snapshot(`${bundle}/rootfs`)
        const destination = `${work}/new`
        const { conflicts } = await upgradeBundle({ bundle, image, destination, jobs: 0 })
        expect(conflicts).toEqual([])
        expect(withoutDirectoryTimes(snapshot(`${destination}/rootfs`))).toBe(
          withoutDirectoryTimes(edited)
        )
        expect(snapshot(`${bundle}/rootfs`)).toBe(edited)
      } finally {
        removeTemporary(work)
      }
    })
    await fc.assert(property, { numRuns: runs })
  })
})

/** An image may be one that cannot be unpacked. */
async function isUnpacked(image: string, destination: string, kind: string): Promise<boolean> {
  const manifest = kind as 'full' | 'lazy'
  try {
    await unpack({ image, destination, manifest, jobs: 0 })
    return true
  } catch (error) {
    if (error instanceof OciUnpackError && error.code === 'ENTRY_INVALID') return false
    throw error
  }
}

/** What is in a directory decides about its time. */
function withoutDirectoryTimes(text: string): string {
  return text.replace(/( directory \d+ \d+:\d+) \S+/g, '$1')
}
