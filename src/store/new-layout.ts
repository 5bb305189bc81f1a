import { randomBytes } from 'node:crypto'
import { lstatSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { indexBytes } from '../image/serialise.ts'
import { OCI_INDEX } from '../image/media-types.ts'
import { attempt } from './file.ts'
import { openLayout } from './layout.ts'
import { createNewFile, flushDirectory } from './new-file.ts'
import { openWorkspace, type Workspace } from './workspace.ts'

/** A layout to write into. One that was not there is made beside its path and gets its name at the end. */
export interface WritableLayout {
  readonly workspace: Workspace
  /** Ends the work: a new layout can be seen now. */
  publish(): void
  /** Removes what is not finished; a new layout altogether. May be called again, also after `publish`. */
  discard(): void
}

/** Throws LAYOUT_INVALID for what is there and no layout, SYSCALL_FAILED. */
export function openOrCreateLayout(path: string): WritableLayout {
  const root = resolve(path)
  return lstatSync(root, { throwIfNoEntry: false }) === undefined
    ? createLayout(root)
    : existingLayout(root)
}

function existingLayout(root: string): WritableLayout {
  const workspace = openWorkspace(openLayout(root).path)
  const close = (): void => workspace.close()
  return { workspace, publish: close, discard: close }
}

function createLayout(root: string): WritableLayout {
  const hidden = hiddenName(root)
  attempt('mkdir', hidden, () => mkdirSync(hidden))
  const remove = (): void => rmSync(hidden, { recursive: true, force: true })
  try {
    const workspace = openWorkspace(hidden)
    const discard = (): void => {
      workspace.close()
      remove()
    }
    writeEmptyLayout(workspace)
    return { workspace, publish: () => publish(workspace, root), discard }
  } catch (error) {
    remove()
    throw error
  }
}

/** A name beside `path`, for what becomes it. */
export function hiddenName(path: string): string {
  return join(dirname(path), `.oci-unpack-${randomBytes(6).toString('hex')}`)
}

function writeEmptyLayout(workspace: Workspace): void {
  mkdirSync(join(workspace.layoutPath, 'blobs/sha256'), { recursive: true })
  put(workspace, 'oci-layout', layoutFileBytes())
  const index = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] } as const
  put(workspace, 'index.json', indexBytes(index))
}

/** The file `oci-layout` (image-spec image-layout.md). */
export function layoutFileBytes(): Buffer {
  return Buffer.from('{"imageLayoutVersion":"1.0.0"}')
}

function put(workspace: Workspace, name: string, bytes: Buffer): void {
  const file = createNewFile(workspace)
  try {
    file.write(bytes)
    file.publish(join(workspace.layoutPath, name))
  } finally {
    file.discard()
  }
}

function publish(workspace: Workspace, root: string): void {
  workspace.close()
  attempt('rename', root, () => renameSync(workspace.layoutPath, root))
  flushDirectory(dirname(root))
}
