/**
 * The inodes of an image while it is made: one record of 64 bytes for each, as it will be written, so that hundreds of
 * thousands need little memory. What is only known at the end is filled in by `write-metadata.ts`; until then, reserved
 * bytes hold what will not be written.
 */
import { EXTENDED_SIZE, FILE_TYPES, INODE, type FileType } from './format.ts'
import type { ImageObject } from './image-object.ts'

/** In the reserved bytes of a record. */
const SCRATCH = { xattrs: 48, device: 52, nid: 56 } as const

/** Of the format of a record: its lowest bit, and where the layout begins. */
const IS_EXTENDED = 1
const LAYOUT_SHIFT = 1

/** Records that lie together, as a power of two. A table that grows by pages is never copied. */
const PAGE_BITS = 12
const IN_PAGE = 2 ** PAGE_BITS - 1

export class InodeTable {
  count = 0
  private readonly pages: DataView[] = []

  add(object: ImageObject, xattrs: number): number {
    const inode = this.count++
    if ((inode & IN_PAGE) === 0) this.pages.push(newPage())
    this.replace(inode, object, xattrs)
    return inode
  }

  /** Other metadata for an inode. Its number, links and place stay. */
  replace(inode: number, { type, mode, uid, gid, mtime }: ImageObject, xattrs: number): void {
    this.set16(inode, INODE.mode, FILE_TYPES[type].mode | modeOf(type, mode))
    this.set32(inode, INODE.uid, uid)
    this.set32(inode, INODE.gid, gid)
    this.setWide(inode, INODE.seconds, mtime.sec)
    this.set32(inode, INODE.nanoseconds, mtime.nsec)
    this.setXattrs(inode, xattrs)
  }

  /** Copies the record to `target`, without the reserved bytes at its end. */
  copy(inode: number, target: Buffer, at: number): void {
    const { buffer } = this.pageOf(inode)
    target.set(new Uint8Array(buffer, inPage(inode), SCRATCH.xattrs), at)
  }

  type(inode: number): FileType {
    return TYPES[this.get16(inode, INODE.mode) >>> TYPE_SHIFT]!
  }

  size(inode: number): number {
    return this.get32(inode, INODE.size) + this.get32(inode, INODE.size + 4) * 2 ** 32
  }

  setSize(inode: number, size: number): void {
    this.setWide(inode, INODE.size, size)
  }

  start(inode: number): number {
    return this.get32(inode, INODE.start)
  }

  setStart(inode: number, start: number): void {
    this.set32(inode, INODE.start, start)
  }

  links(inode: number): number {
    return this.get32(inode, INODE.links)
  }

  setLinks(inode: number, links: number): void {
    this.set32(inode, INODE.links, links)
  }

  /** How its content lies. */
  layout(inode: number): number {
    return this.get16(inode, INODE.format) >>> LAYOUT_SHIFT
  }

  setLayout(inode: number, layout: number): void {
    this.set16(inode, INODE.format, IS_EXTENDED | (layout << LAYOUT_SHIFT))
  }

  /** The number of its set of extended attributes. */
  xattrs(inode: number): number {
    return this.get32(inode, SCRATCH.xattrs)
  }

  setXattrs(inode: number, xattrs: number): void {
    this.set32(inode, SCRATCH.xattrs, xattrs)
  }

  /** The device that its body is on; 0 is the image itself. */
  device(inode: number): number {
    return this.get32(inode, SCRATCH.device)
  }

  setDevice(inode: number, device: number): void {
    this.set32(inode, SCRATCH.device, device)
  }

  /** The number that the file system will show, which says where its record is; 0 as long as it has none. */
  nid(inode: number): number {
    return this.pageOf(inode).getFloat64(inPage(inode) + SCRATCH.nid, true)
  }

  setNid(inode: number, nid: number): void {
    this.pageOf(inode).setFloat64(inPage(inode) + SCRATCH.nid, nid, true)
  }

  /** As if none had a place or a name yet. */
  forgetPlaces(): void {
    for (let inode = 0; inode < this.count; inode++) {
      this.setNid(inode, 0)
      this.setLinks(inode, 0)
    }
  }

  private get16(inode: number, offset: number): number {
    return this.pageOf(inode).getUint16(inPage(inode) + offset, true)
  }

  private set16(inode: number, offset: number, value: number): void {
    this.pageOf(inode).setUint16(inPage(inode) + offset, value, true)
  }

  private get32(inode: number, offset: number): number {
    return this.pageOf(inode).getUint32(inPage(inode) + offset, true)
  }

  private set32(inode: number, offset: number, value: number): void {
    this.pageOf(inode).setUint32(inPage(inode) + offset, value, true)
  }

  /** A number of 64 bits, negative or not. */
  private setWide(inode: number, offset: number, value: number): void {
    this.set32(inode, offset, value)
    this.pageOf(inode).setInt32(inPage(inode) + offset + 4, Math.floor(value / 2 ** 32), true)
  }

  private pageOf(inode: number): DataView {
    return this.pages[inode >>> PAGE_BITS]!
  }
}

function newPage(): DataView {
  return new DataView(new ArrayBuffer(EXTENDED_SIZE << PAGE_BITS))
}

/** Where a record begins in its page. */
function inPage(inode: number): number {
  return (inode & IN_PAGE) * EXTENDED_SIZE
}

/** Linux makes all symbolic links with one mode, whatever an archive says (symlink(7)). */
function modeOf(type: FileType, mode: number): number {
  return type === 'symlink' ? 0o777 : mode
}

/** Types by the highest four bits of a mode. */
const TYPE_SHIFT = 12
const TYPES: FileType[] = []
for (const [type, { mode }] of Object.entries(FILE_TYPES))
  TYPES[mode >>> TYPE_SHIFT] = type as FileType
