/**
 * Removes the files of a bundle, but not what others put beside them or mounted in them. Works by handles, never
 * through a link.
 */
import { realpathSync } from 'node:fs'
import {
  bundleFileNames,
  ROOTFS_DIRECTORY,
  STATE_DIRECTORY,
  UNFINISHED_FILE
} from '../../bundle/files.ts'
import { display, fromText } from '../../bytes.ts'
import { OciUnpackError } from '../../errors.ts'
import type { BundleContext } from '../../hooks/contexts.ts'
import { listDirectory } from '../../sys/directory.ts'
import { close } from '../../sys/files.ts'
import { mountsBelow } from '../../sys/mounts.ts'
import { removeEmptyDirectory, removeFileIfThere } from '../../sys/names.ts'
import { removeTree } from '../../sys/remove-tree.ts'
import { status, statusIfThere } from '../../sys/status.ts'
import { openState } from './unfinished-mark.ts'

/**
 * Removes all files of a bundle that exist.
 * @param fd descriptor of the bundle's directory
 * @param digest of the image manifest; `''` if unknown
 * @throws BUNDLE_BUSY if something is still mounted, or the root file system is a separate volume
 */
export function removeBundleFiles(fd: number, context: BundleContext, digest: string): void {
  assertRemovable(fd, context)
  removeTree(fd, ROOTFS_DIRECTORY)
  for (const name of bundleFileNames(digest)) removeFileIfThere(fd, name)
  removeState(fd, context.bundle)
}

/** The files of mounts and separate volumes are not ours to delete. */
export function assertRemovable(fd: number, { bundle, rootfs }: BundleContext): void {
  const [point] = mountsBelow(fromText(realpathSync(bundle)))
  if (point !== undefined) throw stillThere(display(point), 'something is mounted there')
  const found = statusIfThere(fd, ROOTFS_DIRECTORY)
  if (found?.type === 'directory' && found.device !== status(fd, '').device)
    throw stillThere(rootfs, 'it is a separate volume')
}

/** The mark is removed last: until then, what a crash leaves is recognized as part of a bundle. */
function removeState(fd: number, bundle: string): void {
  const state = openState(fd, bundle)
  if (state === undefined) return
  try {
    for (const name of listDirectory(state)) if (name !== UNFINISHED_FILE) removeTree(state, name)
    removeFileIfThere(state, UNFINISHED_FILE)
  } finally {
    close(state)
  }
  removeEmptyDirectory(fd, STATE_DIRECTORY)
}

function stillThere(path: string, reason: string): OciUnpackError {
  return new OciUnpackError('BUNDLE_BUSY', 'The bundle cannot be removed.', {
    facts: { path, reason },
    hint: 'Use the hooks that made the bundle, stop the programs that still use it, and try again.'
  })
}
