/** The merged tree of an image as the tree of one that has only metadata: bodies stay in the images of the layers. */
import type { StagedEntry } from '../plan/staged-entry.ts'
import type { Directory, Inode } from '../plan/tree.ts'
import type { Body } from './bodies.ts'
import { isObject, type ImageObject } from './image-object.ts'
import { BARE_DIRECTORY, ImageTree, ROOT } from './image-tree.ts'
import type { LayerBodies } from './layer-bodies.ts'

/**
 * @param root of a merged tree whose inodes have all their metadata
 * @param layers the bodies of each layer, bottom first; the image of layer 0 is device 1
 * @throws ENTRY_INVALID for what an image cannot hold
 */
export function imageTreeOf(root: Directory, layers: readonly LayerBodies[]): ImageTree {
  return new Conversion(layers).tree(root)
}

class Conversion {
  private readonly image = new ImageTree()
  private readonly layers: readonly LayerBodies[]
  private readonly known = new Map<Inode, number>()

  constructor(layers: readonly LayerBodies[]) {
    this.layers = layers
  }

  tree(root: Directory): ImageTree {
    this.image.setMetadata(ROOT, objectOf(root.entry))
    this.addChildren(root, ROOT)
    return this.image
  }

  private addChildren(directory: Directory, parent: number): void {
    for (const [name, node] of directory.children) {
      const isLeaf = node.kind === 'leaf'
      const inode = isLeaf ? this.addInode(node.inode) : this.image.add(objectOf(node.entry))
      this.image.setName(parent, name, inode)
      if (!isLeaf) this.addChildren(node, inode)
    }
  }

  private addInode(inode: Inode): number {
    const known = this.known.get(inode)
    if (known !== undefined) return known
    const added = this.image.add(objectOf(inode.entry), this.bodyOf(inode), inode.layer + 1)
    this.known.set(inode, added)
    return added
  }

  private bodyOf({ type, entry, layer }: Inode): Body | undefined {
    return type === 'file' ? this.layers[layer]!.find(entry!.body!) : undefined
  }
}

/** What an image has at a node; no layer describes a directory without an entry. */
function objectOf(entry: StagedEntry | undefined): ImageObject {
  if (entry === undefined) return BARE_DIRECTORY
  if (isObject(entry)) return entry
  throw new Error(`a merged tree cannot contain a ${entry.type}`)
}
