/** The place of a new bundle, which must not contain anything of a bundle before. */
import { lstatSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  CONFIG_FILE,
  METADATA_FILE,
  ROOTFS_DIRECTORY,
  STATE_DIRECTORY
} from '../../bundle/files.ts'
import { OciUnpackError } from '../../errors.ts'

/** @throws BUNDLE_EXISTS if it already contains a bundle or part of one */
export function refuseExistingBundle(destination: string): void {
  for (const name of [METADATA_FILE, CONFIG_FILE, ROOTFS_DIRECTORY, STATE_DIRECTORY]) {
    const path = join(destination, name)
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) continue
    throw new OciUnpackError(
      'BUNDLE_EXISTS',
      'The destination already contains a bundle or part of one.',
      {
        facts: { path },
        hint: 'Choose another directory, or remove the bundle first.'
      }
    )
  }
}

/** The file must not exist yet. */
export function writeNew(path: string, content: string | Uint8Array): void {
  writeFileSync(path, content, { flag: 'wx' })
}
