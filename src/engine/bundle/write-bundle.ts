/** The files of a bundle beside its root file system. */
import { lstatSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  CONFIG_FILE,
  fingerprintsFile,
  treeManifestFile,
  METADATA_FILE,
  ROOTFS_DIRECTORY,
  STATE_DIRECTORY
} from '../../bundle/files.ts'
import { fileStat } from '../../bundle/file-stat.ts'
import { formatMetadata } from '../../bundle/metadata.ts'
import { createRuntimeConfig, formatRuntimeConfig } from '../../bundle/runtime-config.ts'
import type { RuntimeSpec } from '../../bundle/runtime-spec.ts'
import type { Accounts } from '../../bundle/user.ts'
import { OciUnpackError } from '../../errors.ts'
import { target } from '../../image/choice.ts'
import type { Directory } from '../../plan/tree.ts'
import { readAccounts } from '../../rootfs/accounts.ts'
import { withSurvey } from '../../rootfs/survey.ts'
import type { ResolvedImage } from '../../store/resolve.ts'
import { close, openDirectory } from '../../sys/files.ts'
import { currentTime, writeTreeManifestFiles } from './tree-manifest-file.ts'
import type { UnpackSettings } from '../extract/unpack-options.ts'
import type { Workspace } from '../place/workspace.ts'

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

/** Writes all files into the workspace, whose `rootfs` is finished. Gives the names that make up the bundle. */
export function writeBundle(
  workspace: Workspace,
  root: Directory,
  image: ResolvedImage,
  settings: UnpackSettings
): string[] {
  const { digest } = target(image.descriptorPath)
  const rootfs = openDirectory(workspace.fd, ROOTFS_DIRECTORY)
  try {
    const accounts = readAccounts(rootfs, root)
    const config = formatRuntimeConfig(runtimeConfig(accounts, image, settings))
    writeNew(join(workspace.path, CONFIG_FILE), config)
    const { path, destination } = workspace
    writeSurvey(rootfs, root, { path, destination, digest })
    writeNew(join(workspace.path, METADATA_FILE), bundleMetadata(image, settings))
  } finally {
    close(rootfs)
  }
  return [
    ROOTFS_DIRECTORY,
    fingerprintsFile(digest),
    treeManifestFile(digest),
    CONFIG_FILE,
    METADATA_FILE
  ]
}

/** Writes manifest and fingerprints of a tree whose digests are known, looking at each object once. */
export function writeSurvey(
  rootfs: number,
  root: Directory,
  { path, destination, digest }: Pick<Workspace, 'path' | 'destination'> & { digest: string }
): void {
  const scannedAt = currentTime()
  withSurvey(rootfs, root, (tree) => {
    writeTreeManifestFiles(path, destination, digest, {
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
