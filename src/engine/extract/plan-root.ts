/** The directory that the paths of a plan are relative to. */
import { fromText } from '../../bytes.ts'
import type { LayerStack } from '../../plan/layer-stack.ts'
import { joinPath } from '../../plan/names.ts'
import { readExisting } from '../../rootfs/existing.ts'
import type { JournaledWorkspace } from '../../rootfs/journal.ts'
import type { Ledger } from '../../sys/ledger.ts'
import type { ExistingDestination, Workspace } from '../place/workspace.ts'

/**
 * What a plan is based on: the directory that its paths are relative to, and where in it layers are staged. That
 * directory is the workspace or, when unpacking over an existing tree, the tree's root with the workspace in it.
 */
export interface PlanRoot {
  /** Descriptor of the directory, and its final path for messages. */
  fd: number
  path: string
  staging: string
  /** Notes the modes of what has to be opened up in a tree that exists. */
  ledger?: Ledger | undefined
  /** The private directory in it, if the tree must be restored after a failure. */
  journal?: JournaledWorkspace
}

const STAGING = 'layers'

export function newPlanRoot(workspace: Workspace): PlanRoot {
  return { fd: workspace.fd, path: workspace.destination, staging: STAGING }
}

/** For a tree that may be the owner's only copy: a failure leaves it as it was. */
export function journaledPlanRoot(workspace: Workspace, existing: ExistingDestination): PlanRoot {
  const journal = { fd: workspace.fd, path: existing.workspaceName }
  return { ...existingPlanRoot(workspace, existing), journal }
}

/** For a tree that was made to be filled and is discarded after a failure. */
export function existingPlanRoot(
  { destination }: Workspace,
  { fd, workspaceName, ledger }: ExistingDestination
): PlanRoot {
  return { fd, path: destination, staging: joinPath(workspaceName, STAGING), ledger }
}

/** Puts the existing tree below the first layer. @param path of the tree: absolute, without symbolic links */
export function addExistingTree(
  stack: LayerStack,
  path: string,
  { fd, workspaceName, ledger }: ExistingDestination
): void {
  const tree = { fd, path: fromText(path), skip: new Set([workspaceName]), ledger }
  readExisting(tree, (entry, inode, mounted) => stack.addExisting(entry, inode, mounted))
}

export function layerStaging(planRoot: PlanRoot, layer: number): string {
  return `${planRoot.staging}/${layer}`
}

/** For files of the layer that are written when it is read a second time. */
export function stagingAgain(planRoot: PlanRoot, layer: number): string {
  return `${layerStaging(planRoot, layer)}-again`
}

/** A directory for what a plan does not need. */
export function layerTrash(planRoot: PlanRoot): string {
  return `${planRoot.staging}/trash`
}
