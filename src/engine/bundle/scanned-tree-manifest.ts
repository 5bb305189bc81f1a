/** The tree manifest and the fingerprints of a scanned tree. */
import { fileStat } from '../../bundle/file-stat.ts'
import { FingerprintRecords } from '../../bundle/fingerprints.ts'
import { toBuffer, type ByteString } from '../../bytes.ts'
import type { MtreeEntry, MtreeNode } from '../../mtree/entry.ts'
import { formatTreeManifest } from '../../mtree/write.ts'
import { baseName } from '../../plan/names.ts'
import type { IdMaps } from '../../plan/policy/exact.ts'
import { statusKeywords } from '../../rootfs/mtree-entry.ts'
import type { ScannedObject } from '../../rootfs/scanned-object.ts'
import type { ScannedTree } from '../../rootfs/scanned-tree.ts'
import { XattrReader } from '../../rootfs/tree-xattrs.ts'
import type { Timespec } from '../../tar/entry.ts'
import type { Ledger } from '../../sys/ledger.ts'
import type { FileToHash, HashFiles } from '../tree/hash-files.ts'
import { TreeManifestFiles, treeManifestHeader } from './tree-manifest-file.ts'

export interface KnownTree {
  tree: ScannedTree
  /** The entry that an object certainly still has; undefined if unknown. */
  known: (object: ScannedObject) => MtreeEntry | undefined
  /** SHA-256 (hex) of files without a known entry, by path. */
  digests: Map<ByteString, string>
}

export interface TreeManifestPlace {
  /** Directory that the files are written into. */
  path: string
  /** Where the bundle is, for the header. */
  bundle: string
  /** Descriptor of its root file system. */
  rootfs: number
  /** Notes the modes of what has to be opened up. */
  ledger: Ledger | undefined
  /** For what the tree manifest says about owners. */
  outside: IdMaps
  /** Digest of the manifest of the image that the tree equals. */
  digest: string
  /** Whether the tree manifest states digests only where they are known anyway. */
  isLazy: boolean
}

/** Reads the files whose digests are not known yet. */
export async function completeDigests(
  { tree, known, digests }: KnownTree,
  hashFiles: HashFiles
): Promise<void> {
  const unread: FileToHash[] = []
  for (const object of tree.inTreeManifestOrder()) {
    const { path, type } = object
    if (type !== 'file' || digests.has(path) || known(object) !== undefined) continue
    unread.push({ path, size: object.status.size })
  }
  const found = await hashFiles(unread)
  for (const [index, { path }] of unread.entries()) digests.set(path, found[index]!)
}

/** @param scannedAt the time before the first object was looked at */
export function writeScannedTreeManifest(
  { path, bundle, rootfs, ledger, outside, digest, isLazy }: TreeManifestPlace,
  knowledge: KnownTree,
  scannedAt: Timespec
): void {
  const xattrs = new XattrReader(rootfs, outside, ledger)
  const files = new TreeManifestFiles(path, digest)
  try {
    const { root } = knowledge.tree
    const { device } = root.status
    const records = new FingerprintRecords(device)
    const tree = toNode(root, knowledge, { xattrs, outside })
    const record = ({ object }: ScannedNode): void =>
      records.add(fileStat(object.status, object.unlisted))
    for (const text of formatTreeManifest(tree, treeManifestHeader(bundle, isLazy), record)) {
      files.addLines(toBuffer(text))
      files.addFingerprints(records.take())
    }
    files.finish(device, scannedAt)
  } finally {
    files.close()
    xattrs.release()
  }
}

interface ScannedNode extends MtreeNode {
  object: ScannedObject
  children?: readonly ScannedNode[]
}

interface Look {
  xattrs: XattrReader
  outside: IdMaps
}

/** Children are made on request, so the tree is never in memory as a whole. */
function toNode(object: ScannedObject, knowledge: KnownTree, look: Look): ScannedNode {
  const { path, status } = object
  const known = knowledge.known(object)
  const link = known === undefined ? object.link : known.link
  const sha256 = known === undefined ? knowledge.digests.get(path) : known.sha256
  const node: ScannedNode = {
    name: baseName(path),
    ...statusKeywords(status, look.outside),
    ...(link === undefined ? {} : { link }),
    ...(sha256 === undefined ? {} : { sha256 }),
    xattrs: known?.xattrs ?? look.xattrs.listed(object),
    object
  }
  const children = (): ScannedNode[] =>
    knowledge.tree.children(object).map((child) => toNode(child, knowledge, look))
  return status.type === 'directory'
    ? Object.defineProperty(node, 'children', { get: children })
    : node
}
