/** What repack promises, for random trees and random edits of them. */
import * as fc from 'fast-check'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { diff, OciUnpackError, repack, unpack, type ChangeResult } from '../../src/index.ts'
import { layerTar } from '../reference/layer-tar.ts'
import { applyEdits, edits } from '../reference/random-edits.ts'
import { layerStack } from '../reference/random-layers.ts'
import type { Member } from '../reference/serial.ts'
import { snapshot } from '../reference/snapshot.ts'
import { buildImage } from '../support/image-builder.ts'
import { needs } from '../support/requires.ts'
import { ok } from '../support/run.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'

const runs = Number(process.env['OCI_UNPACK_PROPERTY_RUNS'] ?? 50)
const seed = Number(process.env['OCI_UNPACK_SEED'] ?? Date.now() % 1_000_000)

describe.runIf(needs('root'))('repack', { timeout: runs * 4000 }, () => {
  test('makes an image that unpacks to the edited tree, in every field', async () => {
    await forTrees('edited trees', async (tree, list) => {
      applyEdits(tree.rootfs, list)
      const edited = snapshot(tree.rootfs)
      await tree.repack('edited')
      expect(await tree.unpacked('edited')).toBe(edited)
    })
  })

  test('gives the same layer twice, and from a copy of the bundle', async () => {
    await forTrees('copied bundles', async (tree, list) => {
      applyEdits(tree.rootfs, list)
      const { layer } = await tree.repack('first')
      expect((await tree.repack('second')).layer).toEqual(layer)
      ok('cp', '-a', tree.bundle, `${tree.work}/copy`)
      expect((await tree.repack('copy', { bundle: `${tree.work}/copy` })).layer).toEqual(layer)
    })
  })

  test('finds nothing in a bundle that was not edited, and nothing after a refresh', async () => {
    await forTrees('refreshed bundles', async (tree, list) => {
      expect((await tree.repack('untouched')).layer).toBeUndefined()
      applyEdits(tree.rootfs, list)
      await tree.repack('refreshed', { refreshBundle: true })
      expect(await diff({ bundle: tree.bundle, jobs: 1 })).toEqual([])
      expect((await tree.repack('again')).layer).toBeUndefined()
    })
  })

  test('adds only the second edits after a refresh', async () => {
    await forTrees('two rounds', async (tree, list) => {
      const half = list.length >> 1
      applyEdits(tree.rootfs, list.slice(0, half))
      await tree.repack('one', { refreshBundle: true })
      applyEdits(tree.rootfs, list.slice(half))
      await tree.repack('two')
      expect(await tree.unpacked('two')).toBe(snapshot(tree.rootfs))
    })
  })
})

interface Tree {
  work: string
  bundle: string
  rootfs: string
  repack: (tag: string, more?: object) => Promise<ChangeResult>
  /** The tree that an image unpacks to. */
  unpacked: (tag: string) => Promise<string>
}

/**
 * Runs a law for random layer stacks and edits. Half of the bundles are lazy. Half are refreshed after a moment,
 * so that their fingerprints are trusted: those of a tree that was unpacked just now are not.
 */
async function forTrees(
  name: string,
  law: (tree: Tree, list: Parameters<typeof applyEdits>[1]) => Promise<void>
): Promise<void> {
  console.log(`${name}: ${runs} runs, seed ${seed}`)
  const ways = fc.record({ old: fc.boolean(), manifest: fc.constantFrom('full', 'lazy') })
  const property = fc.asyncProperty(layerStack, edits, ways, async (layers, list, way) => {
    const work = makeTemporary()
    try {
      const tree = await makeTree(work, layers, way.manifest)
      if (tree === undefined) return
      if (way.old) {
        await setTimeout(25)
        await tree.repack('settled', { refreshBundle: true })
      }
      await law(tree, list)
    } finally {
      removeTemporary(work)
    }
  })
  await fc.assert(property, { seed, numRuns: runs })
}

/** Undefined for a stack that cannot be unpacked. */
async function makeTree(
  work: string,
  layers: readonly Member[][],
  manifest: 'full' | 'lazy'
): Promise<Tree | undefined> {
  const layout = `${work}/layout`
  const image = buildImage(layout, { layers: layers.map(layerTar) })
  const bundle = `${work}/bundle`
  try {
    await unpack({ image: image.reference, destination: bundle, manifest, jobs: 0 })
  } catch (error) {
    if (error instanceof OciUnpackError && error.code === 'ENTRY_INVALID') return undefined
    throw error
  }
  return {
    work,
    bundle,
    rootfs: `${bundle}/rootfs`,
    repack: (tag, more = {}) => repack({ image: `${layout}:${tag}`, bundle, jobs: 1, ...more }),
    async unpacked(tag) {
      const destination = `${work}/${tag}`
      await unpack({ image: `${layout}:${tag}`, destination, jobs: 0 })
      return snapshot(`${destination}/rootfs`)
    }
  }
}
