import { joinPath } from '../plan/names.ts'
import type { ExistingDestination, Workspace } from './workspace.ts'

/**
 * What a plan stands on: the directory that its paths are relative to, and where in it layers are staged.
 * That directory is the workspace; or, to unpack over a tree that exists, the tree's root with the workspace in it.
 */
export interface Ground {
  /** The directory, open. */
  fd: number
  staging: string
}

const STAGING = 'layers'

export function newGround(workspace: Workspace): Ground {
  return { fd: workspace.fd, staging: STAGING }
}

export function existingGround({ fd, workspaceName }: ExistingDestination): Ground {
  return { fd, staging: joinPath(workspaceName, STAGING) }
}

export function layerStaging(ground: Ground, layer: number): string {
  return `${ground.staging}/${layer}`
}

/** For what a plan finds it does not need. */
export function layerTrash(ground: Ground): string {
  return `${ground.staging}/trash`
}
