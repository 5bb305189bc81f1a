/** The merge on random trees, against a model that merges nested values by the definition and knows no paths. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Resolution } from '../../../src/plan/upgrade/merge-plan.ts'
import { baseName, parentPath } from '../../../src/plan/names.ts'
import { carriedOut, isDirectory, merge, type SmallTree, type Triple } from './small-trees.ts'

type Node = { value: string; children?: ReadonlyMap<string, Node> } | undefined

function nested(tree: SmallTree, path = ''): Node {
  const value = tree.get(path)
  if (value === undefined || !isDirectory(value)) return value === undefined ? undefined : { value }
  const below = [...tree.keys()].filter((each) => each !== '' && parentPath(each) === path)
  return { value, children: new Map(below.map((each) => [baseName(each), nested(tree, each)])) }
}

/** Times apart, and with what is in them. */
function equal(one: Node, other: Node): boolean {
  if (one === undefined || other === undefined) return one === other
  if (one.value.split('@')[0] !== other.value.split('@')[0]) return false
  const names = new Set([...(one.children?.keys() ?? []), ...(other.children?.keys() ?? [])])
  return [...names].every((name) => equal(one.children?.get(name), other.children?.get(name)))
}

const bare = (node: Node): Node => node && { ...node, children: new Map() }

interface Merged {
  node: Node
  conflicts: number
}

function model(old: Node, local: Node, image: Node, resolution: 'keep' | 'new'): Merged {
  if (equal(old, local)) return { node: image, conflicts: 0 }
  if (local?.children !== undefined && image?.children !== undefined) {
    const wasDirectory = old?.children === undefined ? undefined : old
    const own = alone(bare(wasDirectory), bare(local), bare(image), resolution)
    return inside(own.node!.value, own.conflicts, wasDirectory, local, image, resolution)
  }
  if (local?.children !== undefined && old?.children !== undefined && image === undefined) {
    const merged = inside(local.value, 0, old, local, undefined, resolution)
    if (merged.node!.children!.size > 0) return merged
    if (equal(bare(old), bare(local))) return { node: undefined, conflicts: merged.conflicts }
    const node = resolution === 'keep' ? bare(local) : undefined
    return { node, conflicts: merged.conflicts + 1 }
  }
  return alone(old, local, image, resolution)
}

function alone(old: Node, local: Node, image: Node, resolution: 'keep' | 'new'): Merged {
  if (equal(old, local) || equal(local, image)) return { node: image, conflicts: 0 }
  if (equal(old, image)) return { node: local, conflicts: 0 }
  return { node: resolution === 'keep' ? local : image, conflicts: 1 }
}

function inside(
  value: string,
  conflicts: number,
  old: Node,
  local: Node,
  image: Node,
  resolution: 'keep' | 'new'
): Merged {
  const sides = [old, local, image].map((node) => node?.children ?? new Map<string, Node>())
  const children = new Map<string, Node>()
  for (const name of new Set(sides.flatMap((side) => [...side.keys()]))) {
    const [o, l, i] = sides.map((side) => side.get(name))
    const merged = model(o, l, i, resolution)
    conflicts += merged.conflicts
    if (merged.node !== undefined) children.set(name, merged.node)
  }
  return { node: { value, children }, conflicts }
}

const name = fc.constantFrom('a', 'b', 'c')
const leaf = fc.constantFrom('1', '2', 'link')
const time = fc.constantFrom('', '', '@7')

const arbitraryTree: fc.Arbitrary<SmallTree> = fc
  .array(
    fc.tuple(
      fc.array(name, { minLength: 1, maxLength: 3 }),
      fc.oneof(leaf, fc.constantFrom('/', '/2')),
      time
    ),
    { maxLength: 8 }
  )
  .map((objects) => {
    const tree = new Map([['', '/']])
    for (const [names, value, time] of objects) {
      const path = names.join('/')
      for (let at = parentPath(path); at !== ''; at = parentPath(at))
        if (!isDirectory(tree.get(at) ?? '')) tree.set(at, '/')
      for (const each of tree.keys())
        if (!isDirectory(value) && each.startsWith(`${path}/`)) tree.delete(each)
      tree.set(path, isDirectory(value) ? value : value + time)
    }
    return tree
  })

/** Mostly as another tree, as bundles and images of one family are. */
const arbitraryTriple: fc.Arbitrary<Triple> = fc
  .tuple(arbitraryTree, arbitraryTree, arbitraryTree, fc.array(fc.nat(2), { maxLength: 24 }))
  .map(([old, local, image, picks]) => ({
    old,
    local: mixed(old, local, picks),
    image: mixed(old, image, [...picks].reverse())
  }))

function mixed(old: SmallTree, other: SmallTree, picks: readonly number[]): SmallTree {
  const result = new Map([['', '/']])
  const paths = [...new Set([...old.keys(), ...other.keys()])].sort()
  for (const [index, path] of paths.entries()) {
    const value = (picks[index] === 2 ? other : old).get(path)
    const parent = path === '' ? '/' : result.get(parentPath(path))
    if (value !== undefined && parent !== undefined && isDirectory(parent)) result.set(path, value)
  }
  return result
}

const withoutTimes = (tree: SmallTree): [string, string][] =>
  [...tree]
    .map(([path, value]): [string, string] => [path, value.split('@')[0]!])
    .toSorted(([a], [b]) => (a < b ? -1 : 1))

function flat(node: Node, path = ''): [string, string][] {
  if (node === undefined) return []
  const below = [...(node.children ?? [])].flatMap(([name, child]) =>
    flat(child, path === '' ? name : `${path}/${name}`)
  )
  return [[path, node.value], ...below]
}

describe('the merge of random trees', () => {
  test.each(['keep', 'new'] as const)('is that of the model, with %s', (resolution) => {
    fc.assert(
      fc.property(arbitraryTriple, (triple) => {
        const plan = merge(triple, () => resolution)
        const { old, local, image } = triple
        const expected = model(nested(old), nested(local), nested(image), resolution)
        expect(plan.conflicts).toHaveLength(expected.conflicts)
        expect(withoutTimes(carriedOut(triple, plan))).toEqual(
          withoutTimes(new Map(flat(expected.node)))
        )
      }),
      { numRuns: 3000 }
    )
  })

  test('loses nothing with both: each side of a conflict is somewhere', () => {
    fc.assert(
      fc.property(arbitraryTriple, (triple) => {
        const plan = merge(triple, () => 'both')
        const result = carriedOut(triple, plan)
        for (const { path, original } of plan.conflicts) {
          expect(result.get(path)).toBe(triple.local.get(path))
          if (original !== undefined) expect(result.get(original)).toBe(triple.image.get(path))
          else if (!isDirectory(triple.image.get(path) ?? '/')) expect.unreachable(path)
        }
      }),
      { numRuns: 1000 }
    )
  })

  test('is the bundle if the image is as before, and the image if the bundle is', () => {
    fc.assert(
      fc.property(arbitraryTree, arbitraryTree, (one, other) => {
        const never: () => Resolution | undefined = () => undefined
        const carried = { old: one, local: other, image: one }
        const plan = merge(carried, never)
        expect(plan.conflicts).toEqual([])
        expect(withoutTimes(carriedOut(carried, plan))).toEqual(withoutTimes(other))
        expect(merge({ old: one, local: one, image: other }, never).steps).toEqual([])
      })
    )
  })
})
