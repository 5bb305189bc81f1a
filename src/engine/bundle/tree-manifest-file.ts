/** A tree manifest and its fingerprints as files, written piece by piece. */
import { createHash } from 'node:crypto'
import { closeSync, openSync, writeSync } from 'node:fs'
import { arch, hostname, userInfo } from 'node:os'
import { join } from 'node:path'
import { fingerprintsFile, treeManifestFile, ROOTFS_DIRECTORY } from '../../bundle/files.ts'
import { RECORD_BYTES } from '../../bundle/fingerprint-record.ts'
import { encodeHeader, HEADER_BYTES } from '../../bundle/fingerprints.ts'
import { fromText } from '../../bytes.ts'
import { UMOCI_KEYWORDS } from '../../mtree/entry.ts'
import type { TreeManifestHeader } from '../../mtree/write.ts'
import type { Timespec } from '../../tar/entry.ts'

/** Both files while they are written; the caller must call `close`. */
export class TreeManifestFiles {
  private readonly lines: number
  private readonly fingerprints: number
  private readonly hash = createHash('sha256')
  private count = 0

  /**
   * @param directory in which neither of them exists
   * @param digest of the manifest of the image that the tree equals
   */
  constructor(directory: string, digest: string) {
    this.lines = openSync(join(directory, treeManifestFile(digest)), 'wx')
    this.fingerprints = openSync(join(directory, fingerprintsFile(digest)), 'wx')
  }

  addLines(bytes: Uint8Array): void {
    this.hash.update(bytes)
    writeFully(this.lines, bytes, null)
  }

  /** In the order of the lines. */
  addFingerprints(records: Uint8Array): void {
    writeFully(this.fingerprints, records, HEADER_BYTES + this.count * RECORD_BYTES)
    this.count += records.length / RECORD_BYTES
  }

  /**
   * @param device of the root of the tree
   * @param scannedAt the time before the first object was looked at
   */
  finish(device: number, scannedAt: Timespec): void {
    const manifestSha256 = this.hash.digest('hex')
    writeFully(
      this.fingerprints,
      encodeHeader({ device, scannedAt, manifestSha256 }, this.count),
      0
    )
  }

  close(): void {
    closeSync(this.lines)
    closeSync(this.fingerprints)
  }
}

/** The time according to the clock that file systems use, for the racy window of fingerprints. */
export function currentTime(): Timespec {
  const milliseconds = Date.now()
  return { sec: Math.floor(milliseconds / 1000), nsec: (milliseconds % 1000) * 1_000_000 }
}

/**
 * @param bundle where it is, or will be
 * @param isLazy whether the tree manifest is not to state the digest of every file
 */
export function treeManifestHeader(bundle: string, isLazy: boolean): TreeManifestHeader {
  return {
    user: fromText(userName()),
    machine: fromText(`${hostname()} ${arch()}`),
    tree: fromText(join(bundle, ROOTFS_DIRECTORY)),
    date: new Date(),
    keywords: isLazy ? LAZY_KEYWORDS : UMOCI_KEYWORDS
  }
}

const LAZY_KEYWORDS = UMOCI_KEYWORDS.filter((keyword) => keyword !== 'sha256digest')

/** The user of a build need not be listed in the host's passwd file. */
function userName(): string {
  try {
    return userInfo().username
  } catch {
    return String(process.getuid!())
  }
}

/** @param position null for where the last call ended */
function writeFully(fd: number, bytes: Uint8Array, position: number | null): void {
  for (let done = 0; done < bytes.length;)
    done += writeSync(fd, bytes, done, undefined, position === null ? null : position + done)
}
