/**
 * Layers in, merged tree out: folds staged layers in order and keeps track of where each staged object is. Pure:
 * nothing here looks at a disk.
 */
import type { ByteString } from '../bytes.ts'
import { fold, type FoldOptions } from './fold.ts'
import type { Mount } from './mounts.ts'
import { baseName, parentPath } from './names.ts'
import { attach, newPhysicalDirectory, physicalAt } from './physical.ts'
import {
  PLANNED_NODES,
  type PhysicalDirectory,
  type PlannedDirectory,
  type PlannedInode,
  type PlannerBooks
} from './planned-tree.ts'
import { STAGED_SPILL, STAGED_TREE, stagedPlace } from './stage-layout.ts'
import { STAGED_IN_TREE, type StagedEntry } from './staged-entry.ts'
import { findDirectory, newTree, UNTOUCHED, type Directory, type MergedTree } from './tree.ts'

export class LayerStack {
  readonly tree: MergedTree<PlannerBooks> = newTree(PLANNED_NODES)
  readonly workspace: PhysicalDirectory = newPhysicalDirectory(undefined, '')
  /** Mounts that the plan must not touch. */
  readonly mounts: Mount[] = []
  private readonly mountedAt = new Map<Directory, Mount>()
  private readonly options: FoldOptions
  private readonly existingInodes = new Map<string, PlannedInode>()

  constructor({ keepDirlinks }: Pick<FoldOptions, 'keepDirlinks'>) {
    this.options = { keepDirlinks, onErase: (directory, victim) => this.erase(directory, victim) }
  }

  get root(): PlannedDirectory {
    return this.tree.root
  }

  /** The next layer, bottom to top; `staging` is its private directory, relative to the workspace. */
  layer(index: number, staging: ByteString): LayerFolder {
    return new LayerFolder(this.tree, index, this.options, this.makePhysical(staging))
  }

  /**
   * Adds what the root contains before any layer, parents before children; `inode` is equal for names of one file. The
   * workspace is that root then. For a mount in it, only the mount point is added, with its kind.
   */
  addExisting(entry: StagedEntry, inode: string, mounted?: Mount['kind']): void {
    const mount = mounted === undefined ? undefined : this.newMount(entry.path, mounted)
    const parent = findDirectory(this.root, parentPath(entry.path))
    if (parent === undefined) throw new Error(`[internal] ${entry.path} came before its parent`)
    if (entry.type === 'directory') this.addExistingDirectory(parent, entry, mount)
    else this.addExistingLeaf(parent, entry, inode)
  }

  /** The content of mounts was not looked at, so the victim may be in one. */
  private erase(directory: Directory, victim: ByteString): void {
    const mount = this.mountedAt.get(directory)
    if (mount !== undefined) mount.erased ??= victim
  }

  private newMount(path: ByteString, kind: Mount['kind']): Mount {
    const mount: Mount = { path, kind, erased: undefined }
    this.mounts.push(mount)
    return mount
  }

  private addExistingDirectory(
    parent: PlannedDirectory,
    entry: StagedEntry,
    mount: Mount | undefined
  ): void {
    const name = baseName(entry.path)
    const directory = entry.path === '' ? this.root : this.tree.nodes.directory(parent, name)
    if (directory !== this.root) parent.children.set(name, directory)
    directory.entry = entry
    directory.isOld = true
    directory.found = entry
    if (mount !== undefined) this.mountedAt.set(directory, mount)
    const physical = this.makePhysical(entry.path)
    physical.owner = directory
    directory.candidates.push(physical)
  }

  private addExistingLeaf(parent: PlannedDirectory, entry: StagedEntry, key: string): void {
    const name = baseName(entry.path)
    const physical = this.makePhysical(parentPath(entry.path))
    const known = this.existingInodes.get(key)
    const inode = known ?? this.tree.nodes.inode(entry, UNTOUCHED, name)
    if (known === undefined) attach(inode, physical, name)
    else physical.children.set(name, inode)
    this.existingInodes.set(key, inode)
    parent.children.set(name, { kind: 'leaf', inode, touched: UNTOUCHED })
  }

  /** A directory of the workspace that exists, or will before the plan is carried out. */
  makePhysical(path: ByteString): PhysicalDirectory {
    return physicalAt(this.workspace, path)
  }
}

export class LayerFolder {
  private readonly tree: MergedTree<PlannerBooks>
  private readonly index: number
  private readonly options: FoldOptions
  private readonly spill: PhysicalDirectory
  private readonly directories: Map<ByteString, PhysicalDirectory>
  /** The directory that the last object was staged in, because the next is often in the same. */
  private recent: { path: ByteString; directory: PhysicalDirectory }

  constructor(
    tree: MergedTree<PlannerBooks>,
    index: number,
    options: FoldOptions,
    staging: PhysicalDirectory
  ) {
    this.tree = tree
    this.index = index
    this.options = options
    this.spill = newPhysicalDirectory(staging, STAGED_SPILL)
    this.directories = new Map([['', newPhysicalDirectory(staging, STAGED_TREE)]])
    this.recent = { path: '', directory: this.directories.get('')! }
    this.own('', this.recent.directory)
  }

  /** Entries in archive order. @throws ENTRY_INVALID, LIMIT_EXCEEDED */
  add(entry: StagedEntry): void {
    const inode = fold(this.tree, this.index, entry, this.options)
    if (inode !== undefined) this.locate(inode, entry)
    else if (entry.type === 'directory' && entry.staged === STAGED_IN_TREE)
      this.directoryAt(entry.path)
  }

  /** For each directory of the merged tree, the staged directories that were made for it. */
  stagedFor(): Map<PlannedDirectory, PhysicalDirectory[]> {
    const staged = new Map<PlannedDirectory, PhysicalDirectory[]>()
    for (const directory of this.directories.values()) {
      if (directory.owner === undefined) continue
      const known = staged.get(directory.owner)
      if (known === undefined) staged.set(directory.owner, [directory])
      else known.push(directory)
    }
    return staged
  }

  private locate(inode: PlannedInode, entry: StagedEntry): void {
    const place = stagedPlace(entry)
    if (place === undefined) return
    const { top, directory, name } = place
    if (top === STAGED_TREE) attach(inode, this.recentAt(directory), inode.physicalName)
    else attach(inode, this.spill, name)
  }

  private recentAt(path: ByteString): PhysicalDirectory {
    if (path !== this.recent.path) this.recent = { path, directory: this.directoryAt(path) }
    return this.recent.directory
  }

  /** The staged directory at a literal path, which staging has made, with its parents. */
  private directoryAt(path: ByteString): PhysicalDirectory {
    const known = this.directories.get(path)
    if (known !== undefined) return known
    const parent = this.directoryAt(parentPath(path))
    const directory = newPhysicalDirectory(parent, baseName(path))
    this.directories.set(path, directory)
    this.own(path, directory)
    return directory
  }

  private own(path: ByteString, directory: PhysicalDirectory): void {
    const owner = findDirectory(this.tree.root, path)
    if (owner === undefined) return
    directory.owner = owner
    owner.candidates.push(directory)
  }
}
