/** The directory that the paths of a plan are relative to. */
import { fromText } from '../../bytes.ts'
import type { LayerStack } from '../../plan/layer-stack.ts'
import { joinPath } from '../../plan/names.ts'
import { readExisting } from '../../rootfs/existing.ts'
import type { JournaledWorkspace } from '../../rootfs/journal.ts'
import type { ExistingDestination, Workspace } from '../place/workspace.ts'

/**
 * What a plan stands on: the directory that its paths are relative to, and where in it layers are staged.
 * That directory is the workspace; or, to unpack over a tree that exists, the tree's root with the workspace in it.
 */
export interface PlanRoot {
  /** The directory, open, and where it is to be seen in the end, for messages. */
  fd: number
  path: string
  staging: string
  /** The private directory in it, where what it holds must be put back after a failure. */
  journal?: JournaledWorkspace
}

const STAGING = 'layers'

export function newPlanRoot(workspace: Workspace): PlanRoot {
  return { fd: workspace.fd, path: workspace.destination, staging: STAGING }
}

/** What there is may be all that its owner has of it: a failure leaves it as it was. */
export function journaledPlanRoot(workspace: Workspace, existing: ExistingDestination): PlanRoot {
  const journal = { fd: workspace.fd, path: existing.workspaceName }
  return { ...existingPlanRoot(workspace, existing), journal }
}

/** What there is, was made to be filled, and is thrown away after a failure. */
export function existingPlanRoot(
  { destination }: Workspace,
  { fd, workspaceName }: ExistingDestination
): PlanRoot {
  return { fd, path: destination, staging: joinPath(workspaceName, STAGING) }
}

/** Puts the tree that is there below the first layer. @param path of the tree: absolute, with no symbolic links in it */
export function addExistingTree(
  stack: LayerStack,
  path: string,
  { fd, workspaceName }: ExistingDestination
): void {
  const tree = { fd, path: fromText(path), skip: new Set([workspaceName]) }
  readExisting(tree, (entry, inode, mounted) => stack.addExisting(entry, inode, mounted))
}

export function layerStaging(planRoot: PlanRoot, layer: number): string {
  return `${planRoot.staging}/${layer}`
}

/** For what a plan finds it does not need. */
export function layerTrash(planRoot: PlanRoot): string {
  return `${planRoot.staging}/trash`
}
