/** The files of a bundle beside its root file system. */
import { lstatSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  CONFIG_FILE,
  METADATA_FILE,
  ROOTFS_DIRECTORY,
  STATE_DIRECTORY
} from '../../bundle/files.ts'
import { fileStat } from '../../bundle/file-stat.ts'
import { formatMetadata } from '../../bundle/metadata.ts'
import { createRuntimeConfig } from '../../bundle/runtime-config.ts'
import type { RuntimeSpec } from '../../bundle/runtime-spec.ts'
import type { Accounts } from '../../bundle/user.ts'
import { OciUnpackError } from '../../errors.ts'
import type { Directory } from '../../plan/tree.ts'
import { withSurvey } from '../../rootfs/survey.ts'
import type { ResolvedImage } from '../../store/resolve.ts'
import { currentTime, writeManifestFiles } from './manifest-file.ts'
import type { UnpackSettings } from '../extract/unpack-options.ts'

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

export interface SurveyPlace {
  /** Directory that the files are written into. */
  path: string
  /** Where the bundle is in the end. */
  destination: string
  /** Of the image manifest. */
  digest: string
}

/** Writes tree manifest and fingerprints of a tree whose digests are known, looking at each object once. */
export function writeSurvey(
  rootfs: number,
  root: Directory,
  { path, destination, digest }: SurveyPlace
): void {
  const scannedAt = currentTime()
  withSurvey(rootfs, root, (tree) => {
    writeManifestFiles(path, destination, digest, {
      root: tree,
      statOf: ({ status, xattrs }) => fileStat(status, xattrs ?? []),
      scannedAt
    })
  })
}

export function runtimeConfig(
  accounts: Accounts,
  image: ResolvedImage,
  { policy }: UnpackSettings
): RuntimeSpec {
  return createRuntimeConfig({
    image: image.config,
    rootPath: ROOTFS_DIRECTORY,
    accounts,
    uidMaps: policy.uidMap,
    gidMaps: policy.gidMap,
    rootless: undefined
  })
}

export function bundleMetadata(image: ResolvedImage, { policy }: UnpackSettings): string {
  return formatMetadata({
    descriptorWalk: image.descriptorPath.map((descriptor) => ({ ...descriptor })),
    uidMaps: policy.uidMap,
    gidMaps: policy.gidMap,
    rootless: false
  })
}

/** The file must not be there yet. */
export function writeNew(path: string, content: string | Uint8Array): void {
  writeFileSync(path, content, { flag: 'wx' })
}
