/**
 * The merged tree of an image, and at the same time the tree of an image that has only metadata: bodies stay in the images
 * of the layers. Every inode gets its record when its entry comes, which takes a quarter of the memory of the entry.
 */
import type { ByteString } from '../bytes.ts'
import { fold } from '../plan/fold.ts'
import type { StagedEntry } from '../plan/staged-entry.ts'
import {
  newTree,
  pathBytesOf,
  UNTOUCHED,
  type Directory,
  type Inode,
  type MergedTree,
  type Node
} from '../plan/tree.ts'
import { BodyPlaces, type Body } from './bodies.ts'
import { isObject, type ImageObject } from './image-object.ts'
import { BARE_DIRECTORY, ImageTree, ROOT } from './image-tree.ts'

/** The numbers of nodes in the tree of the image. */
interface ImageBooks {
  directory: {
    /** Known when the tree is finished. */
    number: number
  }
  inode: { readonly number: number }
}

export interface MergedImageOptions {
  keepDirlinks: boolean
  /** Whether the nodes of the merged tree hold all that the image says about them. */
  keepEntries: boolean
  /** What entries are in this tree; by default what they are in their layers. */
  form?: (entry: StagedEntry) => StagedEntry
}

export class MergedImageTree {
  private readonly image = new ImageTree()
  private readonly tree: MergedTree<ImageBooks>
  private readonly options: MergedImageOptions
  /** Where the image of each layer has its bodies: that depends on nothing but the entries. */
  private readonly places: readonly BodyPlaces[]
  /** Of the entry that is being added. */
  private body: Body | undefined

  /** @param layers how many there are; the image of layer 0 is device 1 */
  constructor(layers: number, options: MergedImageOptions) {
    this.options = options
    this.places = Array.from({ length: layers }, () => new BodyPlaces())
    this.tree = newTree<ImageBooks>({
      directory: (parent, name) => newDirectory(parent, name),
      inode: (entry, layer) => this.newInode(entry, layer)
    })
  }

  /** The merged tree. */
  get root(): Directory {
    return this.tree.root
  }

  /**
   * The next entry of a layer as an index has it. Layers come bottom first, all entries of each in the order of its tar.
   * @throws ENTRY_INVALID for what an image cannot hold; LIMIT_EXCEEDED
   */
  add(layer: number, entry: StagedEntry): void {
    const { keepDirlinks, form } = this.options
    const { type, size, extents } = entry
    this.body = type === 'file' ? this.places[layer]!.place(size, extents) : undefined
    fold(this.tree, layer, form?.(entry) ?? entry, { keepDirlinks })
  }

  /** To be called once. No entry may follow. @throws ENTRY_INVALID */
  finish(): ImageTree {
    const { root } = this.tree
    this.image.setMetadata(ROOT, objectOf(root.entry))
    root.number = ROOT
    this.addNames(root)
    return this.image
  }

  /** V8 gives each object that is made of another by a spread a description of its own, three times as large as it is. */
  private newInode(entry: StagedEntry, layer: number): Inode<ImageBooks> {
    return {
      kind: 'inode',
      type: entry.type,
      link: entry.link,
      sha256: entry.sha256,
      layer,
      hasXattrs: entry.xattrs.length > 0,
      unheld: entry.unheld,
      entry: this.options.keepEntries ? entry : undefined,
      number: this.image.add(objectOf(entry), this.body, layer + 1)
    }
  }

  /** The names stay where they are: they take as much memory as the inodes. */
  private addNames({ number, children }: Directory<ImageBooks>): void {
    for (const node of children.values())
      if (node.kind === 'leaf') this.updateLink(node.inode)
      else {
        node.number = this.image.add(objectOf(node.entry))
        this.addNames(node)
      }
    this.image.lendNames(number, {
      keys: () => children.keys(),
      get: (name) => numberOf(children.get(name))
    })
  }

  /** A link that was kept in place of a directory has other metadata than its own entry. */
  private updateLink({ number, entry }: Inode<ImageBooks>): void {
    if (entry !== undefined) this.image.setMetadata(number, objectOf(entry))
  }
}

const UNKNOWN = -1

function newDirectory(
  parent: Directory<ImageBooks> | undefined,
  name: ByteString
): Directory<ImageBooks> {
  return {
    kind: 'directory',
    parent,
    name,
    children: new Map<ByteString, Node<ImageBooks>>(),
    pathBytes: pathBytesOf(parent, name),
    entry: undefined,
    touched: UNTOUCHED,
    number: UNKNOWN
  }
}

function numberOf(node: Node<ImageBooks> | undefined): number | undefined {
  return node?.kind === 'leaf' ? node.inode.number : node?.number
}

/** What an image has at a node; no layer describes a directory without an entry. */
function objectOf(entry: StagedEntry | undefined): ImageObject {
  if (entry === undefined) return BARE_DIRECTORY
  if (isObject(entry)) return entry
  throw new Error(`a merged tree cannot contain a ${entry.type}`)
}
