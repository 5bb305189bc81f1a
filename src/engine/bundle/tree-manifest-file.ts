/** A tree manifest and its fingerprints as files, written in one pass. */
import { createHash } from 'node:crypto'
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { arch, hostname, userInfo } from 'node:os'
import { join } from 'node:path'
import { fingerprintsFile, treeManifestFile, ROOTFS_DIRECTORY } from '../../bundle/files.ts'
import type { FileStat } from '../../bundle/fingerprint-record.ts'
import { FingerprintRecords } from '../../bundle/fingerprints.ts'
import { fromText, toBuffer } from '../../bytes.ts'
import type { MtreeNode } from '../../mtree/entry.ts'
import { formatTreeManifest } from '../../mtree/write.ts'
import type { Timespec } from '../../tar/entry.ts'

export interface TreeManifestSource<Node> {
  root: Node
  /** What the fingerprints record of a node. */
  statOf: (node: Node) => FileStat
  /** The time before the first object was looked at. */
  scannedAt: Timespec
}

/**
 * Writes both files into `directory`, whose bundle is (or will be) at `bundle`; neither may exist. `digest` is that of
 * the manifest of the image that the tree equals.
 */
export function writeTreeManifestFiles<Node extends MtreeNode & { children?: readonly Node[] }>(
  directory: string,
  bundle: string,
  digest: string,
  { root, statOf, scannedAt }: TreeManifestSource<Node>
): void {
  const records = new FingerprintRecords(statOf(root).dev)
  const hash = createHash('sha256')
  const fd = openSync(join(directory, treeManifestFile(digest)), 'wx')
  try {
    const record = (node: Node): void => records.add(statOf(node))
    for (const text of formatTreeManifest(root, header(bundle), record)) {
      const bytes = toBuffer(text)
      hash.update(bytes)
      writeFully(fd, bytes)
    }
  } finally {
    closeSync(fd)
  }
  const prints = records.encode(scannedAt, hash.digest('hex'))
  writeFileSync(join(directory, fingerprintsFile(digest)), prints, { flag: 'wx' })
}

/** The time according to the clock that file systems use, for the racy window of fingerprints. */
export function currentTime(): Timespec {
  const milliseconds = Date.now()
  return { sec: Math.floor(milliseconds / 1000), nsec: (milliseconds % 1000) * 1_000_000 }
}

function header(bundle: string): Parameters<typeof formatTreeManifest>[1] {
  return {
    user: fromText(userName()),
    machine: fromText(`${hostname()} ${arch()}`),
    tree: fromText(join(bundle, ROOTFS_DIRECTORY)),
    date: new Date()
  }
}

/** The user of a build need not be listed in the host's passwd file. */
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
