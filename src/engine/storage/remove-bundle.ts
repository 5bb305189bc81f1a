/** All that makes a bundle goes; what others put beside it, or mounted in it, does not. */
import { lstatSync, readdirSync, realpathSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import {
  CONFIG_FILE,
  fingerprintsFile,
  manifestFile,
  METADATA_FILE,
  ROOTFS_DIRECTORY,
  UNFINISHED_FILE
} from '../../bundle/files.ts'
import { display, fromText } from '../../bytes.ts'
import { OciUnpackError } from '../../errors.ts'
import type { BundleContext } from '../../hooks/contexts.ts'
import { removeTree } from '../../sys/remove-tree.ts'
import { close, openOperatorDirectory } from '../../sys/files.ts'
import { mountsBelow } from '../../sys/mounts.ts'

/**
 * Removes all that makes a bundle, whatever of it is there. `digest` is that of the image manifest.
 * @throws BUNDLE_BUSY where something is still mounted, or the root file system is a volume of its own
 */
export function removeBundleFiles(context: BundleContext, digest: string): void {
  const { bundle, rootfs, state } = context
  assertRemovable(context)
  removeRootfs(bundle, rootfs)
  for (const name of [METADATA_FILE, CONFIG_FILE, manifestFile(digest), fingerprintsFile(digest)])
    rmSync(join(bundle, name), { force: true })
  removeState(state)
}

/** What is mounted there, or is a volume of its own, belongs to somebody else: its files are not ours to delete. */
export function assertRemovable({ bundle, rootfs }: BundleContext): void {
  const [point] = mountsBelow(fromText(realpathSync(bundle)))
  if (point !== undefined) throw stillThere(display(point), 'something is mounted there')
  const found = lstatSync(rootfs, { throwIfNoEntry: false })
  if (found?.isDirectory() === true && found.dev !== statSync(bundle).dev)
    throw stillThere(rootfs, 'it is a volume of its own')
}

function removeRootfs(bundle: string, rootfs: string): void {
  if (lstatSync(rootfs, { throwIfNoEntry: false }) === undefined) return
  const fd = openOperatorDirectory(fromText(bundle))
  try {
    removeTree(fd, ROOTFS_DIRECTORY)
  } finally {
    close(fd)
  }
}

/** The mark goes last: until then what a crash leaves is known as part of a bundle. */
function removeState(state: string): void {
  if (lstatSync(state, { throwIfNoEntry: false }) === undefined) return
  for (const name of readdirSync(state))
    if (name !== UNFINISHED_FILE) rmSync(join(state, name), { recursive: true })
  rmSync(state, { recursive: true })
}

function stillThere(path: string, reason: string): OciUnpackError {
  return new OciUnpackError('BUNDLE_BUSY', 'The bundle cannot be removed.', {
    facts: { path, reason },
    hint: 'Use the hooks that made the bundle; end what still works in it, and try again.'
  })
}
