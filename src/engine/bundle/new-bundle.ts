/** The place of a new bundle: nothing of one is there before. */
import { lstatSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  CONFIG_FILE,
  METADATA_FILE,
  ROOTFS_DIRECTORY,
  STATE_DIRECTORY
} from '../../bundle/files.ts'
import { OciUnpackError } from '../../errors.ts'

/** @throws BUNDLE_EXISTS where something of a bundle is there already */
export function refuseExistingBundle(destination: string): void {
  for (const name of [METADATA_FILE, CONFIG_FILE, ROOTFS_DIRECTORY, STATE_DIRECTORY]) {
    const path = join(destination, name)
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) continue
    throw new OciUnpackError('BUNDLE_EXISTS', 'There is a bundle, or part of one, already.', {
      facts: { path },
      hint: 'Choose another directory, or remove the bundle first.'
    })
  }
}

/** The file must not be there yet. */
export function writeNew(path: string, content: string | Uint8Array): void {
  writeFileSync(path, content, { flag: 'wx' })
}
