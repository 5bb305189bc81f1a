/** Whether the root file system of a bundle that hooks made is there: a mount is gone after a reboot. */
import { realpathSync } from 'node:fs'
import { join } from 'node:path'
import type { Memory } from '../../bundle/bundle.ts'
import { ROOTFS_DIRECTORY, STATE_DIRECTORY } from '../../bundle/files.ts'
import { fromText } from '../../bytes.ts'
import { OciUnpackError } from '../../errors.ts'
import { listDirectory } from '../../sys/directory.ts'
import { AT_FDCWD } from '../../sys/files.ts'
import { handlePath } from '../../sys/handle-path.ts'
import { mountsBelow } from '../../sys/mounts.ts'
import { status, statusIfThere, type Status } from '../../sys/status.ts'
import { readOrigin, type Origin } from './origin.ts'

/** Whether the root file system of a bundle is there and mounted; a separate volume counts as mounted. */
export function isMounted(bundle: string): boolean {
  const { path, found } = lookAt(bundle)
  if (found === undefined) return false
  return found.device !== status(AT_FDCWD, path).device || isMountPoint(bundle)
}

/** Whether it is mounted itself: a separate volume, such as a btrfs subvolume, is there without a mount. */
export function isMountPoint(bundle: string): boolean {
  const { path, rootfs, found } = lookAt(bundle)
  if (found === undefined) return false
  return found.isMountRoot || mountsBelow(path).includes(rootfs)
}

function lookAt(bundle: string): { path: string; rootfs: string; found: Status | undefined } {
  const path = fromText(realpathSync(bundle))
  const rootfs = `${path}/${ROOTFS_DIRECTORY}`
  return { path, rootfs, found: statusIfThere(AT_FDCWD, rootfs) }
}

export interface RootfsToLookAt {
  /** Absolute path of the bundle, and a descriptor of its directory. */
  bundle: string
  directory: number
  /** Descriptor of the root file system. */
  rootfs: number
  memory: () => Memory
}

/**
 * Refuses a bundle in which only the mount point of the root file system is left: everything would look deleted.
 * Bundles that were made without hooks are not checked.
 * @throws BUNDLE_INVALID
 */
export function assertStillShown({ bundle, directory, rootfs, memory }: RootfsToLookAt): void {
  const origin = readOrigin({ state: join(handlePath(directory), STATE_DIRECTORY) })
  if (origin === undefined) return
  if (origin.rootfs === 'mount' && !isMounted(bundle)) throw notShown(bundle, origin)
  if (listDirectory(rootfs).length === 0 && memory().entries.count > 1)
    throw notShown(bundle, origin)
}

function notShown(bundle: string, { hooks, rootfs }: Origin): OciUnpackError {
  const isDirectory = rootfs === 'directory'
  const state = isDirectory ? 'empty' : 'not mounted'
  return new OciUnpackError('BUNDLE_INVALID', `The root file system of the bundle is ${state}.`, {
    facts: { hooks, path: join(bundle, ROOTFS_DIRECTORY) },
    hint: isDirectory
      ? 'Restore it, or delete the bundle and unpack the image again.'
      : `Mount it again with \`bundle mount\` and the hooks "${hooks}", or delete the bundle and unpack the image again.`
  })
}
