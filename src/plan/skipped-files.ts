/** Files that were not written because layers above seemed to replace them: which of them are needed after all. */
import { joinPath } from './names.ts'
import type { LayerStack } from './layer-stack.ts'
import { attach } from './physical.ts'
import type { PlannedDirectory, PlannedInode } from './planned-tree.ts'
import { stagedPlace } from './stage-layout.ts'
import type { StagedEntry } from './staged-entry.ts'

/** By where their bodies begin in the tar of their layer. */
export type NeededFiles = Map<number, PlannedInode>

/** The skipped files that are in the merged tree, by layer. To be called when all layers are folded. */
export function neededFiles(root: PlannedDirectory): Map<number, NeededFiles> {
  const needed = new Map<number, NeededFiles>()
  const visit = (directory: PlannedDirectory): void => {
    for (const child of directory.children.values()) {
      if (child.kind === 'directory') visit(child)
      else if (child.inode.skipped !== undefined) note(needed, child.inode, child.inode.skipped)
    }
  }
  visit(root)
  return needed
}

function note(needed: Map<number, NeededFiles>, inode: PlannedInode, body: number): void {
  const files = needed.get(inode.layer) ?? new Map<number, PlannedInode>()
  needed.set(inode.layer, files.set(body, inode))
}

/** The file was read again and is written now. @param staging where, relative to the workspace */
export function supply(
  stack: LayerStack,
  inode: PlannedInode,
  entry: StagedEntry,
  staging: string
): void {
  const { top, directory, name } = stagedPlace(entry)!
  attach(inode, stack.makePhysical(joinPath(joinPath(staging, top), directory)), name)
  inode.sha256 = entry.sha256
  inode.unheld = entry.unheld
  inode.skipped = undefined
}
