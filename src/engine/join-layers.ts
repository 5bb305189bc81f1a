import { display } from '../bytes.ts'
import { assemble } from '../plan/assemble.ts'
import type { LayerStack } from '../plan/layer-stack.ts'
import type { StagedEntry } from '../plan/staged-entry.ts'
import { apply } from '../rootfs/apply.ts'
import { removeTree } from '../rootfs/remove.ts'
import { makeDirectory } from '../sys/names.ts'
import type { OnEvent } from './events.ts'
import { LAYERS } from './stage-image.ts'
import type { Workspace } from './workspace.ts'

const TRASH = `${LAYERS}/trash`

/** Joins the staged layers into `target` in the workspace and removes what is left of them. */
export function joinLayers(
  workspace: Workspace,
  stack: LayerStack,
  target: string,
  undescribed: StagedEntry,
  onEvent: OnEvent
): void {
  makeDirectory(workspace.fd, TRASH, 0o700)
  const operations = assemble({
    root: stack.root,
    workspace: stack.workspace,
    target,
    trash: stack.makePhysical(TRASH)
  })
  apply(workspace.fd, operations, {
    undescribed,
    onLostXattr: (entry, xattr) =>
      onEvent({
        type: 'warning',
        message: 'This file system cannot hold an extended attribute of the image.',
        facts: { entry: display(entry.path), found: display(xattr) }
      })
  })
  removeTree(workspace.fd, LAYERS)
}
