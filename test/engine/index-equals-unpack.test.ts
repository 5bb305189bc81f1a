/** The tree that indexes make is the tree that an unpack makes, and its upper layers tell nothing else. */
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { extractFiles, listFiles, unpackRootfs } from '../../src/index.ts'
import { findPath, type Found } from '../../src/plan/find-path.ts'
import { fold } from '../../src/plan/fold.ts'
import { planEntry } from '../../src/plan/plan-entry.ts'
import type { StagedEntry } from '../../src/plan/staged-entry.ts'
import { INDEXED_NODES, newTree, type MergedTree } from '../../src/plan/tree.ts'
import { UpperTree } from '../../src/plan/upper-tree.ts'
import { layerTar } from '../reference/layer-tar.ts'
import { crowdedStack, layerStack } from '../reference/random-layers.ts'
import type { Member } from '../reference/serial.ts'
import { diskLines, listedLines } from '../support/file-lines.ts'
import { needs } from '../support/requires.ts'
import { codeOf, inScratch, optionsFor } from './support.ts'

const runs = Number(process.env['OCI_UNPACK_PROPERTY_RUNS'] ?? 100)
const seed = Number(process.env['OCI_UNPACK_SEED'] ?? Date.now() % 1_000_000)

test.runIf(needs('root')).each([false, true])(
  'on every field, and an extraction of all is an unpack (keepDirlinks %s)',
  async (keepDirlinks) => {
    console.log(`indexed images: ${runs / 5} runs, seed ${seed}`)
    await fc.assert(
      fc.asyncProperty(layerStack, (layers) =>
        inScratch((work) => compare(work, layers, keepDirlinks))
      ),
      { seed, numRuns: runs / 5 }
    )
  }
)

async function compare(work: string, layers: Member[][], keepDirlinks: boolean): Promise<void> {
  const options = { ...optionsFor(work, layers.map(layerTar)), jobs: 0, keepDirlinks }
  const code = await codeOf(unpackRootfs(options))
  if (code !== 'no failure') {
    expect(await codeOf(listFiles(options))).toBe(code)
    return
  }
  const { files } = await listFiles(options)
  const unpacked = diskLines(options.destination)
  expect(listedLines(files)).toEqual(unpacked)
  await extractFiles({ ...options, paths: ['/'], destination: `${work}/extracted` })
  // the destination itself is not the root of the image
  const described = new Set(unpacked.slice(1))
  const extracted = diskLines(`${work}/extracted`).slice(1)
  expect(extracted.filter((line) => !described.has(line))).toEqual([])
  expect(extracted).toHaveLength(described.size)
}

test('what upper layers tell on their own is what the whole image has', () => {
  console.log(`upper layers: ${runs} runs, seed ${seed}`)
  let known = 0
  fc.assert(
    fc.property(fc.oneof(layerStack, crowdedStack), (layers) => {
      const entries = layers.map((layer) => layer.map(({ entry }) => planEntry(entry, RULES)))
      const whole = merged(entries)
      if (whole === undefined) return
      for (let lowest = 1; lowest < entries.length; lowest++) {
        const upper = upperTree(entries, lowest)
        if (upper === undefined) continue
        for (const path of PATHS) known += agree(upper, whole, path)
      }
    }),
    { seed, numRuns: 20 * runs } // few random layers can be understood without those below
  )
  expect(known).toBeGreaterThan(0)
})

const RULES = { policy: { kind: 'exact', uidMap: [], gidMap: [] }, maxPathBytes: 4095 } as const
const NAMES = ['a', 'b', 'c', 'd']
const PATHS = NAMES.flatMap((one) => [
  one,
  ...NAMES.flatMap((two) => [`${one}/${two}`, `${one}/${two}/a`])
])

function merged(layers: readonly (readonly StagedEntry[])[]): MergedTree | undefined {
  const tree = newTree(INDEXED_NODES)
  try {
    for (const [layer, entries] of layers.entries())
      for (const entry of entries) fold(tree, layer, entry, { keepDirlinks: false })
    return tree
  } catch {
    return undefined
  }
}

function upperTree(
  layers: readonly (readonly StagedEntry[])[],
  lowest: number
): UpperTree | undefined {
  const upper = new UpperTree()
  for (const [layer, entries] of layers.entries())
    for (const entry of layer < lowest ? [] : entries)
      if (!upper.add(layer, entry)) return undefined
  return upper
}

/** 1 where the upper layers had an answer. */
function agree(upper: UpperTree, { root }: MergedTree, path: string): number {
  const found = look(() => findPath(upper.tree.root, path, 'follow'))
  if (found?.kind === 'missing' && upper.mayHaveMore(found.parent, found.name)) return 0
  if (found?.kind === 'directory') return 0
  expect(answer(look(() => findPath(root, path, 'follow')))).toEqual(answer(found))
  return 1
}

function look(find: () => Found): Found | undefined {
  try {
    return find()
  } catch {
    return undefined
  }
}

function answer(found: Found | undefined): unknown {
  return found?.kind === 'leaf'
    ? [found.name, found.leaf.inode.layer, found.leaf.inode.entry]
    : found?.kind
}
