/** Makes the objects of a selection in a private directory, ready to be joined. */
import { display, type ByteString } from '../../bytes.ts'
import { withFacts } from '../../errors.ts'
import { fold } from '../../plan/fold.ts'
import { implicitDirectory } from '../../plan/implicit-directory.ts'
import type { LayerStack } from '../../plan/layer-stack.ts'
import { attach } from '../../plan/physical.ts'
import { bareEntry, type StagedEntry } from '../../plan/staged-entry.ts'
import { findDirectory, type Directory, type Inode } from '../../plan/tree.ts'
import { Birthright, writeFileMetadata, type OnLostXattr } from '../../rootfs/write-metadata.ts'
import { makeSpecialObject } from '../../rootfs/special-object.ts'
import { openBeneath } from '../../sys/beneath.ts'
import { close, openFile } from '../../sys/files.ts'
import { identity } from '../../sys/identity.ts'
import { setModeOf } from '../../sys/metadata.ts'
import { makeDirectory } from '../../sys/names.ts'
import { PRIVATE_MODE } from '../../sys/private-mode.ts'
import type { ImageJob } from '../extract/job.ts'
import { reportLostXattr } from '../extract/join-layers.ts'
import type { PlanRoot } from '../extract/plan-root.ts'
import { callerMetadata } from './caller-metadata.ts'
import type { Selection } from './selection.ts'
import { entryOf, spoolBodies } from './spool-bodies.ts'

/** @param stack contains what is already at the destination */
export async function stageSelection(
  job: ImageJob,
  stack: LayerStack,
  { fd, staging }: PlanRoot,
  selection: Selection
): Promise<void> {
  const objects = `${staging}/objects`
  makeDirectory(fd, objects, PRIVATE_MODE)
  const directory = openBeneath(fd, objects)
  try {
    const names = nameInodes(selection)
    await spoolBodies(job, directory, names)
    const stage = new SelectionStage(stack, { directory, path: objects }, names, job)
    for (const [path, node] of selection)
      if (node.kind === 'directory') stage.directory(path, node)
      else stage.leaf(path, node.inode)
  } finally {
    close(directory)
  }
}

function nameInodes(selection: Selection): Map<Inode, string> {
  const names = new Map<Inode, string>()
  for (const node of selection.values())
    if (node.kind === 'leaf' && !names.has(node.inode)) names.set(node.inode, String(names.size))
  return names
}

/** A flat directory of objects. */
interface Objects {
  directory: number
  /** Relative to the plan root. */
  path: ByteString
}

class SelectionStage {
  private readonly stack: LayerStack
  private readonly objects: Objects
  private readonly names: ReadonlyMap<Inode, string>
  private readonly onLost: OnLostXattr
  private readonly born = new Birthright(identity())
  /** A directory that the image does not describe. */
  private readonly implicit: StagedEntry
  /** The first name of each inode in the destination. */
  private readonly made = new Map<Inode, ByteString>()

  constructor(
    stack: LayerStack,
    objects: Objects,
    names: ReadonlyMap<Inode, string>,
    { settings }: ImageJob
  ) {
    this.stack = stack
    this.objects = objects
    this.names = names
    this.onLost = reportLostXattr(settings.onEvent)
    this.implicit = implicitDirectory(settings.policy)
  }

  /** A directory that exists keeps its metadata. */
  directory(path: ByteString, { entry }: Directory): void {
    if (findDirectory(this.stack.root, path)?.isOld === true) return
    const metadata = callerMetadata(entry ?? this.implicit)
    fold(this.stack.tree, 0, { ...metadata, path }, RULES)
  }

  leaf(path: ByteString, inode: Inode): void {
    const first = this.made.get(inode)
    if (first !== undefined) {
      fold(this.stack.tree, 0, bareEntry('hardlink', path, first), RULES)
      return
    }
    this.made.set(inode, path)
    const entry = { ...callerMetadata(entryOf(inode)), path }
    const name = this.names.get(inode)!
    try {
      this.make(name, entry)
    } catch (error) {
      throw withFacts(error, { entry: display(path) })
    }
    const planned = fold(this.stack.tree, 0, entry, RULES)
    attach(planned!, this.stack.makePhysical(this.objects.path), name)
  }

  /** The body of a file has already been written, and is private. */
  private make(name: string, entry: StagedEntry): void {
    const { directory } = this.objects
    if (entry.type !== 'file') {
      makeSpecialObject(directory, name, entry, this.born, this.onLost)
      return
    }
    const fd = openFile(directory, name)
    try {
      if (this.born.fileMode(entry) === entry.mode) setModeOf(fd, entry.mode)
      writeFileMetadata(fd, entry, this.born, this.onLost)
    } finally {
      close(fd)
    }
  }
}

const RULES = { keepDirlinks: false }
