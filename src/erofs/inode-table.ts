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

export class InodeTable {
  count = 0
  private records = Buffer.alloc(EXTENDED_SIZE * 1024)
  private view = viewOf(this.records)

  add(object: ImageObject, xattrs: number): number {
    const inode = this.count++
    if (inode * EXTENDED_SIZE === this.records.length) this.grow()
    this.replace(inode, object, xattrs)
    return inode
  }

  /** Other metadata for an inode. Its number, links and place stay. */
  replace(inode: number, { type, mode, uid, gid, mtime }: ImageObject, xattrs: number): void {
    const at = inode * EXTENDED_SIZE
    this.view.setUint16(at + INODE.mode, FILE_TYPES[type].mode | modeOf(type, mode), true)
    this.view.setUint32(at + INODE.uid, uid, true)
    this.view.setUint32(at + INODE.gid, gid, true)
    this.setWide(at + INODE.seconds, mtime.sec)
    this.view.setUint32(at + INODE.nanoseconds, mtime.nsec, true)
    this.setXattrs(inode, xattrs)
  }

  /** Copies the record to `target`, without the reserved bytes at its end. */
  copy(inode: number, target: Buffer, at: number): void {
    const from = inode * EXTENDED_SIZE
    this.records.copy(target, at, from, from + SCRATCH.xattrs)
  }

  type(inode: number): FileType {
    return TYPES[this.view.getUint16(inode * EXTENDED_SIZE + INODE.mode, true) >>> TYPE_SHIFT]!
  }

  size(inode: number): number {
    const at = inode * EXTENDED_SIZE + INODE.size
    return this.view.getUint32(at, true) + this.view.getUint32(at + 4, true) * 2 ** 32
  }

  setSize(inode: number, size: number): void {
    this.setWide(inode * EXTENDED_SIZE + INODE.size, size)
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
    return this.view.getUint16(inode * EXTENDED_SIZE + INODE.format, true) >>> LAYOUT_SHIFT
  }

  setLayout(inode: number, layout: number): void {
    const format = IS_EXTENDED | (layout << LAYOUT_SHIFT)
    this.view.setUint16(inode * EXTENDED_SIZE + INODE.format, format, true)
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
    return this.view.getFloat64(inode * EXTENDED_SIZE + SCRATCH.nid, true)
  }

  setNid(inode: number, nid: number): void {
    this.view.setFloat64(inode * EXTENDED_SIZE + SCRATCH.nid, nid, true)
  }

  private grow(): void {
    this.records = Buffer.concat([this.records, Buffer.alloc(this.records.length)])
    this.view = viewOf(this.records)
  }

  private get32(inode: number, offset: number): number {
    return this.view.getUint32(inode * EXTENDED_SIZE + offset, true)
  }

  private set32(inode: number, offset: number, value: number): void {
    this.view.setUint32(inode * EXTENDED_SIZE + offset, value, true)
  }

  /** A number of 64 bits, negative or not. */
  private setWide(at: number, value: number): void {
    this.view.setUint32(at, value, true)
    this.view.setInt32(at + 4, Math.floor(value / 2 ** 32), true)
  }
}

function viewOf({ buffer, byteOffset, byteLength }: Buffer): DataView {
  return new DataView(buffer, byteOffset, byteLength)
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
