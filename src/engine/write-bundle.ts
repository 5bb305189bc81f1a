/** The files of a bundle beside its root file system. */
import { createHash } from 'node:crypto'
import { closeSync, lstatSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { arch, hostname, userInfo } from 'node:os'
import { join } from 'node:path'
import { fromText, toBuffer } from '../bytes.ts'
import {
  CONFIG_FILE,
  fingerprintsFile,
  manifestFile,
  METADATA_FILE,
  ROOTFS_DIRECTORY
} from '../bundle/files.ts'
import { FingerprintRecords, type FileStat } from '../bundle/fingerprints.ts'
import { formatMetadata } from '../bundle/metadata.ts'
import { createRuntimeConfig, formatRuntimeConfig } from '../bundle/runtime-config.ts'
import { OciUnpackError } from '../errors.ts'
import { target } from '../image/choice.ts'
import { formatManifest } from '../mtree/write.ts'
import type { Directory } from '../plan/tree.ts'
import { readAccounts } from '../rootfs/accounts.ts'
import { withSurvey, type SurveyedNode } from '../rootfs/survey.ts'
import type { ResolvedImage } from '../store/resolve.ts'
import { close, openDirectory } from '../sys/files.ts'
import type { Status } from '../sys/status.ts'
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
    const scannedAt = now()
    withSurvey(rootfs, root, (tree) => {
      const records = new FingerprintRecords(tree.status.device)
      const manifestSha256 = writeManifest(workspace, manifestFile(digest), tree, records)
      writeNew(workspace, fingerprintsFile(digest), records.encode(scannedAt, manifestSha256))
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

/** Gives the SHA-256 of the file, which the fingerprints name. */
function writeManifest(
  workspace: Workspace,
  name: string,
  tree: SurveyedNode,
  records: FingerprintRecords
): string {
  const hash = createHash('sha256')
  const fd = openSync(join(workspace.path, name), 'wx')
  try {
    const record = ({ status }: SurveyedNode): void => records.add(fileStat(status))
    for (const text of formatManifest(tree, manifestHeader(workspace), record)) {
      const bytes = toBuffer(text)
      hash.update(bytes)
      writeFully(fd, bytes)
    }
  } finally {
    closeSync(fd)
  }
  return hash.digest('hex')
}

/** Of a device, its number stands for the size, which it has none of. */
function fileStat(status: Status): FileStat {
  return {
    dev: status.device,
    ino: status.inode,
    size: status.size + status.devMajor * 2 ** 20 + status.devMinor,
    mtime: { sec: status.mtimeSec, nsec: status.mtimeNsec },
    ctime: { sec: status.ctimeSec, nsec: status.ctimeNsec }
  }
}

function manifestHeader(workspace: Workspace): Parameters<typeof formatManifest>[1] {
  return {
    user: fromText(userName()),
    machine: fromText(`${hostname()} ${arch()}`),
    tree: fromText(join(workspace.destination, ROOTFS_DIRECTORY)),
    date: new Date()
  }
}

/** A build's user need not be in the host's passwd. */
function userName(): string {
  try {
    return userInfo().username
  } catch {
    return String(process.getuid!())
  }
}

function writeFully(fd: number, bytes: Buffer): void {
  for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done)
}

function writeNew(workspace: Workspace, name: string, content: string | Uint8Array): void {
  writeFileSync(join(workspace.path, name), content, { flag: 'wx' })
}

function now(): { sec: number; nsec: number } {
  const milliseconds = Date.now()
  return { sec: Math.floor(milliseconds / 1000), nsec: (milliseconds % 1000) * 1_000_000 }
}
