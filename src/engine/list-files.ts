/** Lists what is in an image without unpacking it. */
import { toBuffer, type ByteString } from '../bytes.ts'
import { target } from '../image/choice.ts'
import { implicitDirectory } from '../plan/implicit-directory.ts'
import type { StagedEntry } from '../plan/staged-entry.ts'
import { countNames, nodesFrom } from '../plan/tree-paths.ts'
import type { Inode, Node } from '../plan/tree.ts'
import { findFile } from './files/find-files.ts'
import { indexImage } from './files/index-image.ts'
import { bytesOf } from './files/regular-file.ts'
import { withImage } from './transfer/with-image.ts'
import { normalizeImage, type ImageOptions } from './extract/unpack-options.ts'
import { asked } from './operation/asked.ts'
import { requireOptions } from './operation/required-options.ts'

export interface ListFilesOptions extends ImageOptions {
  /**
   * What to list, with everything below it; default all. Links on the way are followed inside the image; one at the end
   * is not.
   */
  path?: string | Uint8Array
}

export interface ListFilesResult {
  /** Digest of the image manifest. */
  manifestDigest: string
  /** Parents first, names in byte order. Entries are made as they are requested. */
  files: Iterable<ListedFile>
}

/** One name in the merged tree of an image. Names and values are bytes, which need not be UTF-8. */
export interface ListedFile {
  /** Absolute: `/` is the root. */
  path: Uint8Array
  type: 'file' | 'directory' | 'symlink' | 'char' | 'block' | 'fifo'
  /** Permissions, with set-user-ID, set-group-ID and sticky bit. */
  mode: number
  uid: number
  gid: number
  /** Bytes of a file, or of the target of a link; 0 for all others. */
  size: number
  /** Seconds since 1970, perhaps negative, and nanoseconds that count forward. */
  mtime: { sec: number; nsec: number }
  /** Equal for names of one file. */
  inode: number
  /** How many names the file has in the whole image; 1 for directories. */
  links: number
  /** Of a symbolic link. */
  target?: Uint8Array
  /** Of a device. */
  device?: { major: number; minor: number }
  xattrs: readonly { name: Uint8Array; value: Uint8Array }[]
}

/**
 * Lists the merged tree of an image in one parallel pass over all layers. Everything is verified (size, digest, diff
 * ID) before the first file is returned; nothing is written anywhere.
 * @throws OciUnpackError with a stable `code`
 */
export async function listFiles(options: ListFilesOptions): Promise<ListFilesResult> {
  requireOptions(options, { image: 'text' })
  return asked({ image: options.image }, () =>
    withImage(options.image, normalizeImage(options), async (job) => {
      const root = await indexImage(job)
      const wanted = options.path === undefined ? '' : bytesOf(options.path)
      const { path, node } = findFile(root, wanted, 'keep')
      const listing = new Listing(countNames(root), implicitDirectory(job.settings.policy))
      return {
        manifestDigest: target(job.image.descriptorPath).digest,
        files: { [Symbol.iterator]: () => listing.from(path, node) }
      }
    })
  )
}

class Listing {
  private readonly names: ReadonlyMap<Inode, number>
  private readonly implicit: StagedEntry
  private readonly numbers = new Map<Inode, number>()
  private next = 1

  constructor(names: ReadonlyMap<Inode, number>, implicit: StagedEntry) {
    this.names = names
    this.implicit = implicit
  }

  *from(path: ByteString, node: Node): Generator<ListedFile> {
    for (const [at, each] of nodesFrom(node, path)) yield this.file(at, each)
  }

  private file(path: ByteString, node: Node): ListedFile {
    if (node.kind === 'leaf') return this.leaf(path, node.inode)
    return listed(path, node.entry ?? this.implicit, 'directory', this.next++, 1)
  }

  private leaf(path: ByteString, inode: Inode): ListedFile {
    const entry = inode.entry!
    const type = inode.type as Exclude<ListedFile['type'], 'directory'>
    const links = this.names.get(inode)!
    const file = listed(path, entry, type, this.numberOf(inode, links), links)
    if (type === 'symlink') toLink(file, inode.link)
    else if (type === 'file') file.size = entry.size
    else if (type !== 'fifo') file.device = { major: entry.devMajor, minor: entry.devMinor }
    return file
  }

  private numberOf(inode: Inode, links: number): number {
    const known = links === 1 ? undefined : this.numbers.get(inode)
    if (known !== undefined) return known
    if (links > 1) this.numbers.set(inode, this.next)
    return this.next++
  }
}

/** One literal for all types: an image has as many of these as files, and copying them costs more than making them. */
function listed(
  path: ByteString,
  { mode, uid, gid, mtime, xattrs }: StagedEntry,
  type: ListedFile['type'],
  inode: number,
  links: number
): ListedFile {
  return {
    path: toBuffer(`/${path}`),
    mode,
    uid,
    gid,
    mtime,
    xattrs: xattrs.map(([name, value]) => ({ name: toBuffer(name), value: toBuffer(value) })),
    type,
    size: 0,
    inode,
    links
  }
}

/** Linux gives links no other mode. */
function toLink(file: ListedFile, target: ByteString): void {
  file.mode = 0o777
  file.size = target.length
  file.target = toBuffer(target)
}
