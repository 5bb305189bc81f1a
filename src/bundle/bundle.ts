/** What a bundle records about its image: metadata, tree manifest and fingerprints. */
import { createHash } from 'node:crypto'
import { fromBuffer } from '../bytes.ts'
import { OciUnpackError } from '../errors.ts'
import { listEntries, type EntryList } from '../mtree/entry-list.ts'
import { TreeManifestOutline } from '../mtree/outline.ts'
import { parseTreeManifest } from '../mtree/parse.ts'
import type { FingerprintRecord } from '../plan/seen-tree.ts'
import {
  fingerprintsFile,
  METADATA_FILE,
  treeManifestFile,
  UNHELD_END,
  unheldFile
} from './files.ts'
import type { FileStat } from './fingerprint-record.ts'
import { decodeFingerprints, recordAt } from './fingerprints.ts'
import { isUnchanged } from './unchanged.ts'
import { parseUnheld, type UnheldDocument } from './unheld.ts'
import type { Fingerprints, Unusable } from './fingerprints.ts'
import { parseMetadata, sourceManifest, type BundleMetadata } from './metadata.ts'

/** The bytes of a file at the top of the bundle, or undefined if it does not exist. */
export type ReadBundleFile = (name: string) => Uint8Array | undefined

/** @throws BUNDLE_INVALID if umoci.json is missing or damaged */
export function readMetadata(read: ReadBundleFile): BundleMetadata {
  return parseMetadata(Buffer.from(requireFile(read, METADATA_FILE)).toString('utf8'))
}

/**
 * Reads what an earlier unpack, ours or umoci's, recorded about the tree beside the rootfs.
 * @throws BUNDLE_INVALID if the tree manifest is missing, MTREE_INVALID if it cannot be read
 */
export function readMemory(read: ReadBundleFile, metadata: BundleMetadata): Memory {
  const { digest } = sourceManifest(metadata)
  const manifest = requireFile(read, treeManifestFile(digest), NO_MANIFEST)
  const fingerprints = decode(read(fingerprintsFile(digest)), manifest)
  if (typeof fingerprints === 'string') return new Memory(parseWhole(manifest), fingerprints)
  // the fingerprints contain the digest of this text, so this program wrote it
  const outline = new TreeManifestOutline(manifest)
  return outline.count === fingerprints.count
    ? new Memory(outline, fingerprints, outline)
    : new Memory(parseWhole(manifest), 'other-manifest')
}

/**
 * What the image says of objects and the disk does not hold; undefined if it holds everything. Where another program
 * refreshed the bundle, what is known of the image before still holds for the objects that are the same.
 * @param names of the files in the bundle
 * @throws BUNDLE_INVALID
 */
export function readUnheld(
  read: ReadBundleFile,
  names: readonly string[],
  metadata: BundleMetadata
): UnheldDocument | undefined {
  const own = unheldFile(sourceManifest(metadata).digest)
  const files = names.filter((name) => name.endsWith(UNHELD_END))
  const file = files.includes(own) ? own : files.length === 1 ? files[0] : undefined
  const bytes = file === undefined ? undefined : read(file)
  if (file === undefined || bytes === undefined) return undefined
  return parseUnheld(Buffer.from(bytes).toString(), file)
}

/** If a tree manifest were cut short, the objects it lacks would look new, and their deletion would go unnoticed. */
function parseWhole(bytes: Uint8Array): EntryList {
  const manifest = parseTreeManifest(fromBuffer(bytes))
  const root = manifest.entries[0]
  if (manifest.isClosed && root?.path === '.' && root.type === 'dir')
    return listEntries(manifest.entries)
  throw new OciUnpackError('MTREE_INVALID', 'The tree manifest does not describe a whole tree.', {
    hint: 'The tree manifest was damaged or edited. Restore it, or unpack the image again.'
  })
}

/** A record for each entry, both as they are in their files. */
export interface PlainMemory {
  outline: TreeManifestOutline
  prints: Fingerprints
}

/** What a bundle records about its tree: objects by their position in the tree manifest, counted from 0. */
export class Memory {
  readonly entries: EntryList
  /** Bundles of umoci have none. */
  readonly fingerprints: Fingerprints | Unusable | 'absent'
  /** The entries once more, if there are usable fingerprints. */
  private readonly outline: TreeManifestOutline | undefined

  constructor(
    entries: EntryList,
    fingerprints: Memory['fingerprints'],
    outline?: TreeManifestOutline
  ) {
    this.entries = entries
    this.fingerprints = fingerprints
    this.outline = outline
  }

  /** What many objects can be compared with at once; undefined without usable fingerprints. */
  get plain(): PlainMemory | undefined {
    const { usable: prints, outline } = this
    return prints === undefined || outline === undefined ? undefined : { prints, outline }
  }

  /** The device of the tree when it was scanned; a tree on another device was copied since. Undefined: unknown. */
  get device(): number | bigint | undefined {
    return this.usable?.device
  }

  /** Whether the object has certainly not changed since, so it need not be read again. */
  isUnchanged(index: number, stat: FileStat): boolean {
    return this.usable !== undefined && isUnchanged(this.usable, index, stat)
  }

  /** Undefined if there is no usable fingerprint. */
  record(index: number): FingerprintRecord | undefined {
    return this.usable === undefined ? undefined : recordAt(this.usable, index)
  }

  private get usable(): Fingerprints | undefined {
    return typeof this.fingerprints === 'string' ? undefined : this.fingerprints
  }
}

function decode(prints: Uint8Array | undefined, manifest: Uint8Array): Memory['fingerprints'] {
  if (prints === undefined) return 'absent'
  return decodeFingerprints(prints, createHash('sha256').update(manifest).digest('hex'))
}

const NO_BUNDLE =
  'Give a directory that unpack made; raw unpack does not make a bundle. If this was one, unpack the image again.'
const NO_MANIFEST =
  'Hooks with manifest = "never" make bundles that cannot be repacked. Unpack the image again with manifest = "auto".'

function requireFile(read: ReadBundleFile, name: string, hint = NO_BUNDLE): Uint8Array {
  const bytes = read(name)
  if (bytes !== undefined) return bytes
  throw new OciUnpackError('BUNDLE_INVALID', `The bundle does not contain ${name}.`, {
    facts: { file: name },
    hint
  })
}
