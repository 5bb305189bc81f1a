/** Whether a bundle has all that makes it one, as far as that can be told without reading its tree. */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { CONFIG_FILE, ROOTFS_DIRECTORY, treeManifestFile } from '../../bundle/files.ts'
import { sourceManifest, type BundleMetadata } from '../../bundle/metadata.ts'
import { fromText } from '../../bytes.ts'
import { OciUnpackError } from '../../errors.ts'
import { handlePath } from '../../sys/handle-path.ts'
import { statusIfThere } from '../../sys/status.ts'
import { assertFinished, noRootfs } from './open-bundle.ts'
import type { Origin } from './origin.ts'

interface BundleToCheck {
  /** For errors. */
  path: string
  /** Descriptor of its directory. */
  directory: number
  metadata: BundleMetadata
  /** Undefined if no hooks made it. What hooks mount need not be mounted. */
  origin: Origin | undefined
}

/** @throws BUNDLE_INVALID */
export function assertWhole({ path, directory, metadata, origin }: BundleToCheck): void {
  assertFinished(directory, path)
  for (const name of [CONFIG_FILE, treeManifestFile(sourceManifest(metadata).digest)])
    if (!isFile(join(handlePath(directory), name))) throw lacksFile(join(path, name))
  if (origin?.rootfs === 'mount') return
  const rootfs = statusIfThere(directory, fromText(ROOTFS_DIRECTORY))
  if (rootfs?.type !== 'directory') throw noRootfs(path)
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true
}

function lacksFile(path: string): OciUnpackError {
  return new OciUnpackError('BUNDLE_INVALID', 'A file of the bundle is missing.', {
    facts: { path, reason: 'it is not there, or not a file' },
    hint: 'Restore it, or unpack the image again.'
  })
}
