/** The files of a bundle beside its root file system. */
import { lstatSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  CONFIG_FILE,
  fingerprintsFile,
  manifestFile,
  METADATA_FILE,
  ROOTFS_DIRECTORY
} from '../bundle/files.ts'
import { fileStat } from '../bundle/file-stat.ts'
import { formatMetadata } from '../bundle/metadata.ts'
import { createRuntimeConfig, formatRuntimeConfig } from '../bundle/runtime-config.ts'
import { OciUnpackError } from '../errors.ts'
import { target } from '../image/choice.ts'
import type { Directory } from '../plan/tree.ts'
import { readAccounts } from '../rootfs/accounts.ts'
import { withSurvey } from '../rootfs/survey.ts'
import type { ResolvedImage } from '../store/resolve.ts'
import { close, openDirectory } from '../sys/files.ts'
import { currentTime, writeManifestFiles } from './manifest-file.ts'
import type { UnpackSettings } from './unpack-options.ts'
import type { Workspace } from './workspace.ts'

/** @throws BUNDLE_EXISTS where something of a bundle is there already */
export function refuseExistingBundle(destination: string): void {
  for (const name of [METADATA_FILE, CONFIG_FILE, ROOTFS_DIRECTORY]) {
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
    writeNew(workspace, CONFIG_FILE, runtimeConfig(rootfs, root, image, settings))
    const scannedAt = currentTime()
    withSurvey(rootfs, root, (tree) => {
      writeManifestFiles(workspace.path, workspace.destination, digest, {
        root: tree,
        statOf: ({ status, xattrs }) => fileStat(status, xattrs ?? []),
        scannedAt
      })
    })
    writeNew(workspace, METADATA_FILE, metadata(image, settings))
  } finally {
    close(rootfs)
  }
  return [
    ROOTFS_DIRECTORY,
    fingerprintsFile(digest),
    manifestFile(digest),
    CONFIG_FILE,
    METADATA_FILE
  ]
}

function runtimeConfig(
  rootfs: number,
  root: Directory,
  image: ResolvedImage,
  { policy }: UnpackSettings
): string {
  return formatRuntimeConfig(
    createRuntimeConfig({
      image: image.config,
      rootPath: ROOTFS_DIRECTORY,
      accounts: readAccounts(rootfs, root),
      uidMaps: policy.uidMap,
      gidMaps: policy.gidMap,
      rootless: undefined
    })
  )
}

function metadata(image: ResolvedImage, { policy }: UnpackSettings): string {
  return formatMetadata({
    descriptorWalk: image.descriptorPath.map((descriptor) => ({ ...descriptor })),
    uidMaps: policy.uidMap,
    gidMaps: policy.gidMap,
    rootless: false
  })
}

function writeNew(workspace: Workspace, name: string, content: string | Uint8Array): void {
  writeFileSync(join(workspace.path, name), content, { flag: 'wx' })
}
