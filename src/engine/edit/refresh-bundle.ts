/**
 * Makes a bundle one of the image that is just made from it, in two halves. All that can fail for want of room is done
 * before the image gets its tag; afterwards there are only renames, of which replacing umoci.json is the one that counts. So a
 * bundle can be repacked wherever this ends.
 */
import { join } from 'node:path'
import {
  fingerprintsFile,
  METADATA_FILE,
  treeManifestFile,
  unheldFile
} from '../../bundle/files.ts'
import { formatUnheld } from '../../bundle/unheld.ts'
import { formatMetadata, sourceManifest } from '../../bundle/metadata.ts'
import { OciUnpackError } from '../../errors.ts'
import { target, type DescriptorPath } from '../../image/choice.ts'
import type { MtreeEntry } from '../../mtree/entry.ts'
import { matchTree } from '../../plan/tree-match.ts'
import type { ScannedObject } from '../../rootfs/scanned-object.ts'
import { flush } from '../../sys/durable.ts'
import { close, openFile } from '../../sys/files.ts'
import { handlePath } from '../../sys/handle-path.ts'
import { renameOver } from '../../sys/names.ts'
import { orTryAgain } from '../../sys/try-again.ts'
import type { Timespec } from '../../tar/entry.ts'
import type { Changes } from '../changes/find-changes.ts'
import type { HashFiles } from '../tree/hash-files.ts'
import type { OnEvent } from '../operation/events.ts'
import type { OpenBundle } from '../bundle/open-bundle.ts'
import { recoverRefresh, writeRefreshNote } from '../place/refresh-note.ts'
import { scanTree } from '../tree/scan-tree.ts'
import {
  completeDigests,
  writeScannedTreeManifest,
  type KnownTree
} from '../bundle/scanned-tree-manifest.ts'
import type { ThreadOptions } from '../operation/threads.ts'
import { withWorkspaceIn } from '../place/with-workspace.ts'
import { writeNew } from '../bundle/new-bundle.ts'

export interface Refresh {
  /** Writes and flushes what the bundle of this image is to have, beside what it has. Nothing of it counts yet. */
  prepare(image: DescriptorPath, known: RefreshKnowledge): Promise<void>
  /** The bundle is one of that image from here on. @throws SYSCALL_FAILED */
  commit(): void
}

/** What is known of the tree that the image is made from. */
export interface RefreshKnowledge {
  changes: Changes
  /** From before the first object was looked at. */
  scannedAt: Timespec
  hashFiles: HashFiles
  threads: ThreadOptions
}

/** Runs `act` with a place for new files in the bundle, which must be the caller's alone. */
export async function withRefresh<T>(
  bundle: OpenBundle,
  onEvent: OnEvent,
  act: (refresh: Refresh) => Promise<T>
): Promise<T> {
  const { directory, path } = bundle
  return withWorkspaceIn(directory, path, onEvent, ({ fd }) => act(new BundleRefresh(bundle, fd)))
}

class BundleRefresh implements Refresh {
  private readonly bundle: OpenBundle
  private readonly workspace: number
  /** What is prepared, in the order in which it becomes the bundle's. */
  private names: readonly string[] = []

  constructor(bundle: OpenBundle, workspace: number) {
    this.bundle = bundle
    this.workspace = workspace
  }

  async prepare(
    image: DescriptorPath,
    { changes, scannedAt, hashFiles, threads }: RefreshKnowledge
  ): Promise<void> {
    const { metadata, path, rootfs, ledger, outside } = this.bundle
    const { digest } = target(image)
    this.writeMetadata(image)
    if (digest === sourceManifest(metadata).digest) return
    const knowledge = await wholeTree(this.bundle, changes, threads)
    await completeDigests(knowledge, hashFiles)
    const place = {
      path: handlePath(this.workspace),
      bundle: path,
      rootfs,
      ledger,
      outside,
      digest,
      isLazy: metadata.lazy !== undefined
    }
    writeScannedTreeManifest(place, knowledge, scannedAt)
    const files = [fingerprintsFile(digest), treeManifestFile(digest), ...this.keepUnheld(digest)]
    writeRefreshNote(this.workspace, { before: sourceManifest(metadata).digest, after: digest })
    for (const name of files) flushFile(this.workspace, name)
    this.names = [...files, METADATA_FILE]
  }

  /** All that changes if the image is the same, perhaps under another tag. */
  private writeMetadata(image: DescriptorPath): void {
    const descriptorWalk = image.map((descriptor) => ({ ...descriptor }))
    const text = formatMetadata({ ...this.bundle.metadata, descriptorWalk })
    writeNew(join(handlePath(this.workspace), METADATA_FILE), text)
    flushFile(this.workspace, METADATA_FILE)
    this.names = [METADATA_FILE]
  }

  /** What the disk does not hold of the image before: still true, except for objects that are others now. */
  private keepUnheld(digest: string): string[] {
    const document = this.bundle.unheld()
    if (document === undefined) return []
    writeNew(join(handlePath(this.workspace), unheldFile(digest)), formatUnheld(document))
    return [unheldFile(digest)]
  }

  commit(): void {
    const { directory, path } = this.bundle
    try {
      for (const name of this.names) renameOver(this.workspace, name, directory, name)
      flush(directory)
    } catch (error) {
      this.attemptToRemoveOther()
      throw onlyTheBundle(error, path)
    }
    this.removeOther()
  }

  /** The failure that led here says more. */
  private attemptToRemoveOther(): void {
    try {
      this.removeOther()
    } catch {
      // as said above
    }
  }

  /** Of the old and the new files that the bundle remembers its tree by, those that it is not of. */
  private removeOther(): void {
    orTryAgain(() => recoverRefresh(this.bundle.directory, this.workspace))
  }
}

/** A tree of which only a part was looked at is looked at now; the rest of it is as the bundle remembers. */
async function wholeTree(
  bundle: OpenBundle,
  { tree, remembered, entries, digests, isWhole }: Changes,
  threads: ThreadOptions
): Promise<KnownTree> {
  const entryAt = (index: number | undefined): MtreeEntry | undefined =>
    index === undefined ? undefined : entries.entry(index)
  if (isWhole) return { tree, digests, known: (object) => entryAt(remembered(object)) }
  const { rootfs, ledger } = bundle
  const [whole] = await scanTree(rootfs, { ...threads, ledger }, () => undefined)
  const match = matchTree(whole, entries)
  const known = (object: ScannedObject): MtreeEntry | undefined => {
    const part = tree.find(object.path)
    return entryAt(part === undefined ? match.indexOf(object) : remembered(part))
  }
  return { tree: whole, digests, known }
}

/** From here on, the file survives a power cut. */
function flushFile(directory: number, name: string): void {
  const fd = openFile(directory, name)
  try {
    flush(fd)
  } finally {
    close(fd)
  }
}

function onlyTheBundle(error: unknown, path: string): unknown {
  if (!(error instanceof OciUnpackError)) return error
  return new OciUnpackError(error.code, error.message, {
    facts: { ...error.facts, path },
    hint: 'The image is stored and tagged, but the bundle was not refreshed. Repack it again.',
    cause: error
  })
}
