/**
 * One layer alone as a tree for an image, with marks for what it hides of the layers below, as overlayfs reads them
 * (Documentation/filesystems/overlayfs.rst of the kernel): a whiteout is a character device 0:0, and attributes say which
 * directories are opaque and which contain whiteouts. As when layers are merged (`plan/fold.ts`), the later of two entries
 * counts, links in the way of a path are followed, and marks never hide what their own layer brings.
 */
import { ownCopy, type ByteString } from '../bytes.ts'
import { baseName, parentPath } from '../plan/names.ts'
import type { StagedEntry } from '../plan/staged-entry.ts'
import type { Xattr } from '../tar/entry.ts'
import type { Body } from './bodies.ts'
import { unwritable } from './faults.ts'
import { findDirectory } from './find-directory.ts'
import { isObject, type ImageObject } from './image-object.ts'
import { BARE_DIRECTORY, ImageTree, ROOT } from './image-tree.ts'

const WHITEOUT = { ...BARE_DIRECTORY, type: 'char', mode: 0 } as const
const OPAQUE: Xattr = ['trusted.overlay.opaque', 'y']
/** Without it, overlayfs lists the names of whiteouts in a directory that no other layer has. */
const HAS_WHITEOUTS: Xattr = ['trusted.overlay.origin', '']

export class LayerTree {
  /** Paths of hard links to what is not in this layer. An image cannot contain them. */
  readonly linksElsewhere: ByteString[] = []
  private readonly tree = new ImageTree()
  private readonly whiteouts = new Set<ByteString>()
  /** Directories that hide what lower layers have in them. */
  private readonly opaque = new Set<number>()
  private readonly opaquePaths = new Set<ByteString>()
  /**
   * The last path that led to a directory without links: entries come directory by directory. What replaces a directory
   * on this path is itself found by another path.
   */
  private recentPath: ByteString | undefined
  private recent: number = ROOT

  /**
   * The next entry of the layer, as the policy for overlay mounts with `trusted.overlay.` leaves it.
   * @throws ENTRY_INVALID for what an image cannot hold
   */
  add(entry: StagedEntry, body?: Body): void {
    if (entry.type === 'whiteout') this.whiteouts.add(entry.path)
    else if (entry.type === 'opaque') this.opaquePaths.add(entry.path)
    else if (!isObject(entry)) this.addLink(entry)
    else if (entry.type === 'directory') this.addDirectory(entry)
    else this.setLeaf(entry.path, this.tree.add(entry, body))
  }

  /** The tree with its marks. No entry may follow. */
  finish(): ImageTree {
    const marked = new Set<number>()
    for (const path of this.opaquePaths) this.opaque.add(this.makeDirectory(path))
    for (const path of this.whiteouts) this.hide(path, marked)
    for (const directory of this.opaque) this.tree.addXattrs(directory, [OPAQUE], '')
    for (const directory of marked) this.tree.addXattrs(directory, [HAS_WHITEOUTS], '')
    return this.tree
  }

  /** Marks a name of lower layers as removed, unless the layer has put something else there. */
  private hide(path: ByteString, marked: Set<number>): void {
    const parent = this.makeDirectory(parentPath(path))
    const present = this.tree.child(parent, baseName(path))
    if (present !== undefined) {
      if (this.tree.isDirectory(present)) this.opaque.add(present)
      return
    }
    this.tree.setName(parent, baseName(path), this.tree.add({ ...WHITEOUT, path }))
    marked.add(parent)
  }

  private addDirectory(entry: ImageObject): void {
    if (entry.path === '') {
      this.tree.setMetadata(ROOT, entry)
      return
    }
    const parent = this.makeDirectory(parentPath(entry.path))
    const name = baseName(entry.path)
    const present = this.tree.child(parent, name)
    if (present !== undefined && this.tree.isDirectory(present))
      this.tree.setMetadata(present, entry)
    else this.newDirectory(parent, name, entry)
  }

  private addLink({ path, link }: StagedEntry): void {
    const { directory, missing } = findDirectory(this.tree, parentPath(link))
    const target = missing.length === 0 ? this.tree.child(directory, baseName(link)) : undefined
    if (target === undefined) this.linksElsewhere.push(path)
    else if (this.tree.isDirectory(target))
      throw unwritable(path, 'a hard link to a directory cannot be made')
    else this.setLeaf(path, target)
  }

  private setLeaf(path: ByteString, inode: number): void {
    if (path === '') throw unwritable(path, 'the root of a layer must be a directory')
    this.tree.setName(this.makeDirectory(parentPath(path)), ownCopy(baseName(path)), inode)
  }

  /** The directory at a path. Whatever is missing on the way, or is not a directory, becomes one. */
  private makeDirectory(path: ByteString): number {
    if (path === this.recentPath) return this.recent
    const { directory, missing, links } = findDirectory(this.tree, path)
    const made = missing.reduce(
      (parent, name) => this.newDirectory(parent, name, BARE_DIRECTORY),
      directory
    )
    this.recentPath = links === 0 ? path : undefined
    this.recent = made
    return made
  }

  /** Where the layer first had something else, nothing of a lower directory is left. */
  private newDirectory(parent: number, name: ByteString, object: ImageObject): number {
    const directory = this.tree.add(object)
    if (this.tree.child(parent, name) !== undefined) this.opaque.add(directory)
    this.tree.setName(parent, ownCopy(name), directory)
    return directory
  }
}
