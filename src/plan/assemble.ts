/**
 * From the merged tree and the staged objects to the operations that join them. For every directory, one staged
 * directory is chosen as its base and renamed into place as a whole; what other layers add is moved in, what is not in
 * the tree is moved out to the trash. Each operation is applied to the simulation as soon as it is emitted, so sources
 * are always named by where they are at that point.
 */
import type { ByteString } from '../bytes.ts'
import { chooseBase } from './choose-base.ts'
import { joinPath, parentPath } from './names.ts'
import type { Operation } from './operations.ts'
import {
  attach,
  isAt,
  newPhysicalDirectory,
  pathOf,
  pathOfObject,
  reparent,
  topOf
} from './physical.ts'
import type { PhysicalDirectory, PlannedDirectory, PlannedInode } from './planned-tree.ts'

export interface Assembly {
  root: PlannedDirectory
  workspace: PhysicalDirectory
  /** Where the finished root is to be, relative to the workspace: a name in it, or `''` for the workspace itself. */
  target: ByteString
  /** An empty directory for what is no longer needed, relative to the workspace. */
  trash: PhysicalDirectory
  /** What is copied from the directory of a lower layer; only if layers have their own directories. */
  copies?: ReadonlyMap<PlannedInode, LayerPath>
}

/** A place in the finished directory of a layer. */
export interface LayerPath {
  layer: number
  path: ByteString
}

export function assemble(assembly: Assembly): Operation[] {
  return new Assembler(assembly).run()
}

class Assembler {
  private readonly operations: Operation[] = []
  private readonly assembly: Assembly
  /** The top directory of everything staged, which may be inside the root itself. */
  private readonly staging: PhysicalDirectory
  /** Directories that existed before and lost an object to another directory, which changes their times. */
  private readonly bereft = new Set<PhysicalDirectory>()
  private trashed = 0

  constructor(assembly: Assembly) {
    this.assembly = assembly
    this.staging = topOf(assembly.trash, assembly.workspace)
  }

  run(): Operation[] {
    const { root, workspace, target } = this.assembly
    const base = target === '' ? workspace : this.placeDirectory(root, workspace, target, target)
    this.realize(root, base, target)
    return this.operations
  }

  /** `base` is the directory on disk, already at its final place, that becomes `directory`. */
  private realize(directory: PlannedDirectory, base: PhysicalDirectory, path: ByteString): void {
    const before = this.operations.length
    for (const [name, child] of directory.children) {
      if (child.kind === 'leaf') this.placeLeaf(child.inode, base, name, path)
      else this.place(child, base, name, joinPath(path, name))
    }
    this.removeStrays(directory, base)
    this.writeMetadata(directory, path, this.operations.length > before || this.bereft.has(base))
    // nothing in it is moved any more, and there may be a million files
    base.children.clear()
  }

  private place(
    directory: PlannedDirectory,
    base: PhysicalDirectory,
    name: ByteString,
    path: ByteString
  ): void {
    this.realize(directory, this.placeDirectory(directory, base, name, path), path)
  }

  private placeLeaf(
    inode: PlannedInode,
    base: PhysicalDirectory,
    name: ByteString,
    parent: ByteString
  ): void {
    if (base.children.get(name) !== inode) this.bring(inode, base, name, joinPath(parent, name))
    if (inode.isPlaced) return
    if (!isAt(inode, base, name)) attach(inode, base, name)
    inode.isPlaced = true
    const { entry } = inode
    if (entry === undefined) return
    this.operations.push({ op: 'rewrite-link-metadata', path: joinPath(parent, name), entry })
  }

  private bring(
    inode: PlannedInode,
    base: PhysicalDirectory,
    name: ByteString,
    path: ByteString
  ): void {
    if (!inode.isPlaced && !this.assembly.copies?.has(inode) && !isMark(inode)) {
      this.move(inode, base, name, path)
      return
    }
    this.evict(base, name)
    this.operations.push(this.bringing(inode, path))
    base.children.set(name, inode)
  }

  /** How a name is given to an object that is not in the workspace, or that is already in its place. */
  private bringing(inode: PlannedInode, path: ByteString): Operation {
    if (inode.type === 'whiteout') return { op: 'whiteout', path }
    if (inode.type === 'opaque') return { op: 'opaque', path: parentPath(path) }
    if (inode.isPlaced) return { op: 'link', from: pathOfObject(inode), to: path }
    const { layer, path: from } = this.assembly.copies!.get(inode)!
    return { op: 'copy-up', layer, from, to: path }
  }

  private placeDirectory(
    directory: PlannedDirectory,
    base: PhysicalDirectory,
    name: ByteString,
    path: ByteString
  ): PhysicalDirectory {
    const present = base.children.get(name)
    const chosen = chooseBase(directory, present)
    if (chosen === undefined) return this.makeDirectory(directory, base, name, path)
    if (chosen !== present) this.move(chosen, base, name, path)
    return chosen
  }

  /**
   * A new directory made in an existing one would inherit its group and default ACL, so it is made in the workspace and
   * moved.
   */
  private makeDirectory(
    directory: PlannedDirectory,
    base: PhysicalDirectory,
    name: ByteString,
    path: ByteString
  ): PhysicalDirectory {
    if (directory.parent?.isOld !== true) {
      this.evict(base, name)
      this.operations.push({ op: 'make', path })
      return newPhysicalDirectory(base, name)
    }
    const { trash } = this.assembly
    const made = newPhysicalDirectory(trash, String(this.trashed++))
    this.operations.push({ op: 'make', path: pathOf(made) })
    this.move(made, base, name, path)
    return made
  }

  private move(
    object: PhysicalDirectory | PlannedInode,
    base: PhysicalDirectory,
    name: ByteString,
    path: ByteString
  ): void {
    this.evict(base, name)
    this.operations.push({ op: 'move', from: pathOfObject(object), to: path })
    const source = object.kind === 'physical' ? object.parent : object.physicalParent
    if (source?.owner?.isOld === true) this.bereft.add(source)
    reparent(object, base, name)
  }

  /** Frees a name. What was there may contain objects that are needed later, so it is moved, not deleted. */
  private evict(base: PhysicalDirectory, name: ByteString): void {
    const occupant = base.children.get(name)
    if (occupant === undefined) return
    const { trash } = this.assembly
    const trashName = String(this.trashed++)
    const to = joinPath(pathOf(trash), trashName)
    this.operations.push({ op: 'move', from: joinPath(pathOf(base), name), to })
    base.children.delete(name)
    if (isAt(occupant, base, name)) attach(occupant, trash, trashName)
  }

  private removeStrays(directory: PlannedDirectory, base: PhysicalDirectory): void {
    if (base.children.size === directory.children.size) return
    for (const [name, object] of [...base.children])
      if (!directory.children.has(name) && object !== this.staging) this.evict(base, name)
  }

  private writeMetadata(directory: PlannedDirectory, path: ByteString, changed: boolean): void {
    const { entry, found, isOld } = directory
    if (entry === undefined || entry !== found)
      this.operations.push({ op: 'write-directory-metadata', path, entry, isNew: !isOld })
    else if (changed) this.operations.push({ op: 'restore-times', path, entry })
  }
}

/** Marks exist only in the directory of a layer, and are never staged. */
function isMark({ type }: PlannedInode): boolean {
  return type === 'whiteout' || type === 'opaque'
}
