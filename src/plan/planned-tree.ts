/** The planner's books on the merged tree: what existed before, and where each object is at this point of the plan. */
import type { ByteString } from '../bytes.ts'
import type { StagedEntry } from './staged-entry.ts'
import {
  pathBytesOf,
  UNTOUCHED,
  type Directory,
  type Inode,
  type Node,
  type Nodes
} from './tree.ts'

export interface PlannerBooks {
  directory: DirectoryBooks
  inode: InodeBooks
}

export type PlannedDirectory = Directory<PlannerBooks>
export type PlannedInode = Inode<PlannerBooks>
export type PlannedNode = Node<PlannerBooks>

interface DirectoryBooks {
  /** Staged directories that hold children of this one; a hint for the assembler. */
  readonly candidates: PhysicalDirectory[]
  /** Whether it existed before the unpack. */
  isOld: boolean
  /** The entry that it had then. As long as it still has that one, no layer has changed its metadata. */
  found: StagedEntry | undefined
}

interface InodeBooks {
  /** Where its object is on disk at this point of the plan. */
  physicalParent: PhysicalDirectory | undefined
  physicalName: ByteString
  /** Whether that is its first place in the finished tree. */
  isPlaced: boolean
  /** If it was not written, because layers above seemed to replace it: where its body begins in the tar of its layer. */
  skipped: number | undefined
}

/** A directory on disk while the plan is made. */
export interface PhysicalDirectory {
  readonly kind: 'physical'
  parent: PhysicalDirectory | undefined
  name: ByteString
  readonly children: Map<ByteString, PhysicalDirectory | PlannedInode>
  /** The directory of the merged tree that it was staged for. */
  owner: PlannedDirectory | undefined
}

/** Objects have their metadata on disk; an inode with an `entry` got other metadata after it was staged. */
export const PLANNED_NODES: Nodes<PlannerBooks> = {
  directory: plannedDirectory,
  inode: plannedInode
}

function plannedDirectory(
  parent: PlannedDirectory | undefined,
  name: ByteString
): PlannedDirectory {
  return {
    kind: 'directory',
    parent,
    name,
    children: new Map<ByteString, PlannedNode>(),
    pathBytes: pathBytesOf(parent, name),
    entry: undefined,
    touched: UNTOUCHED,
    candidates: [],
    isOld: false,
    found: undefined
  }
}

function plannedInode(entry: StagedEntry, layer: number, name: ByteString): PlannedInode {
  return {
    kind: 'inode',
    type: entry.type,
    link: entry.link,
    sha256: entry.sha256,
    layer,
    hasXattrs: entry.xattrs.length > 0,
    unheld: entry.unheld,
    entry: undefined,
    physicalParent: undefined,
    physicalName: name,
    isPlaced: false,
    skipped: entry.body
  }
}
