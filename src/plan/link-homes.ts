/**
 * In which layer's directory each file is. Hard links cannot cross from one layer's directory to another, and a file in
 * a stack of directories has the link count from its own directory. So all names of a file must be in one directory:
 * when a layer adds or removes a name, the file is copied up with all its remaining names.
 */
import type { ByteString } from '../bytes.ts'
import type { LayerPath } from './assemble.ts'
import { joinPath, parentPath } from './names.ts'
import type { PlannedDirectory, PlannedInode, PlannedNode } from './planned-tree.ts'
import { touch } from './tree.ts'

interface Home {
  readonly layer: number
  /** Literal paths, equal in the layer's directory and the merged tree. */
  readonly names: readonly ByteString[]
}

export class LinkHomes {
  private readonly root: PlannedDirectory
  private readonly homes = new Map<PlannedInode, Home>()
  private readonly linked = new Set<PlannedInode>()

  constructor(root: PlannedDirectory) {
    this.root = root
  }

  /**
   * Must be called after a whole layer is folded. Returns the files that must be copied into its directory, with where
   * they are, and marks all their names as touched by the layer.
   */
  settle(layer: number): Map<PlannedInode, LayerPath> {
    const copies = new Map<PlannedInode, LayerPath>()
    const written = writtenNames(this.root, layer)
    for (const [inode, names] of written) {
      const lower = this.homes.get(inode)
      const kept = this.remaining(inode, names)
      if (lower !== undefined) copies.set(inode, source(lower))
      this.settleIn(layer, inode, [...kept, ...names])
    }
    for (const inode of [...this.linked].filter((each) => !written.has(each))) {
      const lower = this.homes.get(inode)!
      const kept = this.remaining(inode, [])
      if (kept.length === lower.names.length) continue
      if (kept.length > 0) copies.set(inode, source(lower))
      this.settleIn(layer, inode, kept)
    }
    for (const inode of copies.keys()) this.prepareCopy(inode, layer)
    return copies
  }

  private settleIn(layer: number, inode: PlannedInode, names: readonly ByteString[]): void {
    this.homes.set(inode, { layer, names })
    if (names.length > 1) this.linked.add(inode)
    else this.linked.delete(inode)
  }

  /** The names that a file still has where it was, except those that this layer writes. */
  private remaining(inode: PlannedInode, written: readonly ByteString[]): ByteString[] {
    const isWritten = new Set(written)
    const names = this.homes.get(inode)?.names ?? []
    return names.filter((name) => !isWritten.has(name) && this.isName(name, inode))
  }

  private isName(name: ByteString, inode: PlannedInode): boolean {
    const node = this.nodeAt(name)
    return node?.kind === 'leaf' && node.inode === inode
  }

  private prepareCopy(inode: PlannedInode, layer: number): void {
    inode.isPlaced = false
    for (const name of this.homes.get(inode)!.names) {
      const parent = this.nodeAt(parentPath(name))
      const leaf = this.nodeAt(name)
      if (leaf !== undefined) leaf.touched = layer
      if (parent?.kind === 'directory') touch(parent, layer)
    }
  }

  /** Finds a node by literal components: no link is followed. */
  private nodeAt(path: ByteString): PlannedNode | undefined {
    let node: PlannedNode | undefined = this.root
    for (const name of path === '' ? [] : path.split('/'))
      node = node?.kind === 'directory' ? node.children.get(name) : undefined
    return node
  }
}

function source({ layer, names }: Home): LayerPath {
  return { layer, path: names[0]! }
}

/** All leaves that a layer wrote, grouped by file. */
function writtenNames(root: PlannedDirectory, layer: number): Map<PlannedInode, ByteString[]> {
  const written = new Map<PlannedInode, ByteString[]>()
  const visit = (directory: PlannedDirectory, path: ByteString): void => {
    for (const [name, child] of directory.children) {
      if (child.touched !== layer) continue
      const childPath = joinPath(path, name)
      if (child.kind === 'directory') visit(child, childPath)
      else if (!written.get(child.inode)?.push(childPath)) written.set(child.inode, [childPath])
    }
  }
  visit(root, '')
  return written
}
