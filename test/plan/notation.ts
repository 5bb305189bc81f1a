/**
 * Layers and trees as lines of text, so that a case of the merge reads as a sentence:
 *
 *     'a/'        a directory            'a'        a file that holds the number of its layer
 *     'a -> b'    a symbolic link        'a: x'     a file that holds x
 *     'a == b'    a hard link            'a|'       a FIFO
 *
 * In a merged tree a directory shows the layer that describes it, `?` where none does, `!` where it was there before.
 * In one layer of a stack, `.wh.` names are marks, and `a: 1 (from 1:b)` is copied from b in the directory of layer 1.
 */
import { LayerChanges } from '../../src/plan/changes.ts'
import { fold } from '../../src/plan/fold.ts'
import { layerView } from '../../src/plan/layer-view.ts'
import { LayerStack } from '../../src/plan/layer-stack.ts'
import { LinkHomes } from '../../src/plan/link-homes.ts'
import type { LayerPath } from '../../src/plan/assemble.ts'
import { joinPath } from '../../src/plan/names.ts'
import { planEntry } from '../../src/plan/plan-entry.ts'
import { StageLayout } from '../../src/plan/stage-layout.ts'
import type { StagedEntry } from '../../src/plan/staged-entry.ts'
import {
  PLANNED_NODES,
  type PlannedDirectory,
  type PlannedInode
} from '../../src/plan/planned-tree.ts'
import { newTree } from '../../src/plan/tree.ts'
import type { TarEntry } from '../../src/tar/entry.ts'
import { compareBytes } from '../../src/bytes.ts'
import { OciUnpackError } from '../../src/errors.ts'
import { entry } from '../support/archive.ts'
import { TreeOfNames } from './tree-of-names.ts'

const RULES = {
  policy: { kind: 'exact', uidMap: [], gidMap: [] },
  maxPathBytes: 4095
} as const

/** The merged tree as sorted lines; or the code of the error and its reason. */
export function merge(layers: readonly (readonly string[])[], keepDirlinks = false): string[] {
  const tree = newTree(PLANNED_NODES)
  try {
    layers.forEach((lines, index) => {
      for (const line of lines) fold(tree, index + 1, planned(line, index + 1), { keepDirlinks })
    })
  } catch (error) {
    if (!(error instanceof OciUnpackError)) throw error
    return [[error.code, error.facts.reason ?? error.facts.found].join(': ')]
  }
  return printTree(tree.root)
}

/**
 * The books of layers that were staged as the rootfs room stages them, below `layers/0`, `layers/1` and so on.
 * @param mounts those of the existing paths where something is mounted
 */
export function stage(
  layers: readonly (readonly string[])[],
  existing: readonly string[] = [],
  mounts: readonly string[] = []
): LayerStack {
  const stack = new LayerStack({ keepDirlinks: false })
  for (const line of existing)
    stack.addExisting(planned(line, 0), line, mounts.includes(line) ? 'mount' : undefined)
  layers.forEach((lines, index) => {
    const tree = new TreeOfNames()
    const layout = new StageLayout(tree)
    const folder = stack.layer(index, `layers/${index}`)
    for (const line of lines) folder.add(placed(layout, tree, planned(line, index)))
  })
  return stack
}

/** Each layer as its directory must show it, bottom first. */
export function layerViews(
  layers: readonly (readonly string[])[],
  { keepDirlinks = false, rootMayBeOpaque = false } = {}
): string[][] {
  const tree = newTree(PLANNED_NODES)
  const homes = new LinkHomes(tree.root)
  return layers.map((lines, index) => {
    const layer = index + 1
    const changes = new LayerChanges()
    for (const line of lines) fold(tree, layer, planned(line, layer), { keepDirlinks, changes })
    const copies = homes.settle(layer)
    return printTree(
      layerView(tree.root, { layer, changes, staged: new Map(), rootMayBeOpaque }),
      copies
    )
  })
}

function placed(layout: StageLayout, tree: TreeOfNames, staged: StagedEntry): StagedEntry {
  if (staged.type === 'directory') return { ...staged, staged: layout.placeDirectory(staged.path) }
  if (['whiteout', 'opaque', 'hardlink'].includes(staged.type)) return staged
  return { ...staged, staged: layout.placeLeaf(staged.path, () => tree.make(staged.path)) }
}

function planned(line: string, layer: number): StagedEntry {
  const { content, ...fields } = parse(line)
  const mtime = { sec: layer, nsec: 0 }
  const staged = planEntry(entry({ mtime, ...fields }), RULES)
  return staged.type === 'file' ? { ...staged, sha256: content ?? String(layer) } : staged
}

function parse(line: string): Partial<TarEntry> & { content?: string } {
  const [, name, link] = /^(.*?) (?:->|==) (.*)$/s.exec(line) ?? []
  if (name !== undefined && link !== undefined)
    return { name, link, type: line.includes(' -> ') ? 'symlink' : 'hardlink' }
  const [, file, content] = /^(.*?): (.*)$/s.exec(line) ?? []
  if (file !== undefined && content !== undefined) return { name: file, type: 'file', content }
  if (line.endsWith('|')) return { name: line.slice(0, -1), type: 'fifo' }
  return { name: line, type: /(?:^|\/)$/.test(line) ? 'directory' : 'file' }
}

function printTree(
  root: PlannedDirectory,
  copies: ReadonlyMap<PlannedInode, LayerPath> = new Map()
): string[] {
  const lines: string[] = []
  const names = new Map<PlannedInode, string>()
  const visit = (directory: PlannedDirectory, path: string): void => {
    lines.push(`${path}/ ${describedBy(directory)}`)
    for (const [name, child] of [...directory.children].sort(([a], [b]) => compareBytes(a, b))) {
      const childPath = joinPath(path, name)
      if (child.kind === 'directory') visit(child, childPath)
      else if (child.inode.type === 'opaque') lines.push(childPath)
      else if (child.inode.type === 'whiteout') lines.push(joinPath(path, `.wh.${name}`))
      else {
        const copied = names.has(child.inode) ? undefined : copies.get(child.inode)
        const source = copied === undefined ? '' : ` (from ${copied.layer}:${copied.path})`
        lines.push(`${childPath}${printInode(child.inode, childPath, names)}${source}`)
      }
    }
  }
  visit(root, '')
  return lines
}

function describedBy({ entry: described, found }: PlannedDirectory): string {
  if (described !== undefined && described === found) return '!'
  return described === undefined ? '?' : String(described.mtime.sec)
}

function printInode(inode: PlannedInode, path: string, names: Map<PlannedInode, string>): string {
  const first = names.get(inode)
  if (first !== undefined) return ` == ${first}`
  names.set(inode, path)
  const changed = inode.entry === undefined ? '' : ` (${inode.entry.mtime.sec})`
  if (inode.type === 'symlink') return ` -> ${inode.link}${changed}`
  return inode.type === 'file' ? `: ${inode.sha256 ?? ''}` : '|'
}
