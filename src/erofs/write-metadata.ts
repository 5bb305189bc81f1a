/** Writes the metadata of an image whose layout is fixed: the blocks of directories, and the records of inodes. */
import { toBuffer } from '../bytes.ts'
import type { Chunks } from './bodies.ts'
import { BlockBuffer } from './block-buffer.ts'
import { directoryBlocks, type Dirent } from './directory-blocks.ts'
import {
  aligned,
  BLOCK,
  CHUNK_INDEX_SIZE,
  CHUNK_INDEXES,
  EXTENDED_SIZE,
  FILE_TYPES,
  INODE,
  LAYOUT,
  NO_BLOCK,
  SLOT
} from './format.ts'
import type { ImageLayout } from './image-layout.ts'
import type { ImageTree } from './image-tree.ts'
import { xattrCount } from './xattrs.ts'

/** How the devices of a body are written. */
export interface DeviceAddresses {
  /** What goes into a chunk's index for this device. */
  id: (device: number) => number
  /** What is added to blocks on this device. */
  start: (device: number) => number
}

/** All of an image from `layout.firstBlock` to its end, in pieces that follow each other. */
export function* metadata(layout: ImageLayout, addresses: DeviceAddresses): Generator<Buffer> {
  const out = new BlockBuffer(layout.firstBlock * BLOCK)
  for (const inode of layout.order) {
    writeBlocks(layout, inode, out)
    if (out.isFull) yield out.take()
  }
  const area = layout.inodeArea * BLOCK
  let serial = 0
  for (const inode of layout.order) {
    out.fillTo(area + layout.tree.inodes.nid(inode) * SLOT)
    writeInode(layout, addresses, inode, ++serial, out)
    if (out.isFull) yield out.take()
  }
  out.fillTo(layout.blocks * BLOCK)
  yield out.take()
}

/** The content of a directory or link that does not follow its record. */
function writeBlocks(layout: ImageLayout, inode: number, out: BlockBuffer): void {
  const { inodes } = layout.tree
  const type = inodes.type(inode)
  if (type !== 'directory' && type !== 'symlink') return
  const isInline = layout.behind(inode).layout === LAYOUT.inline
  if (isInline && inodes.size(inode) < BLOCK) return
  for (const piece of content(layout, inode)) {
    if (isInline && piece.length < BLOCK) return
    out.put(piece)
    out.fillTo(aligned(out.position, BLOCK))
  }
}

function writeInode(
  layout: ImageLayout,
  addresses: DeviceAddresses,
  inode: number,
  serial: number,
  out: BlockBuffer
): void {
  const { tree } = layout
  const start = out.position
  const xattrs = tree.xattrsOf(inode)
  const behind = layout.behind(inode)
  writeRecord(layout, addresses, inode, behind.layout, serial, out)
  out.put(xattrs)
  if (behind.layout === LAYOUT.inline) out.put(tail(layout, inode))
  if (behind.layout !== LAYOUT.chunks) return
  out.fillTo(start + aligned(EXTENDED_SIZE + xattrs.length, CHUNK_INDEX_SIZE))
  putIndexes(layout.chunksOf(inode)!, addresses, tree.inodes.device(inode), out)
}

function writeRecord(
  layout: ImageLayout,
  addresses: DeviceAddresses,
  inode: number,
  contentLayout: number,
  serial: number,
  out: BlockBuffer
): void {
  const { inodes } = layout.tree
  const at = out.claim(EXTENDED_SIZE)
  inodes.copy(inode, out.bytes, at)
  out.bytes.writeUInt16LE(IS_EXTENDED | (contentLayout << 1), at + INODE.format)
  out.bytes.writeUInt16LE(xattrCount(layout.tree.xattrsOf(inode).length), at + INODE.xattrCount)
  out.bytes.writeUInt32LE(serial, at + INODE.serial)
  if (inodes.type(inode) === 'file')
    out.bytes.writeUInt32LE(fileStart(layout, addresses, inode), at + INODE.start)
}

const IS_EXTENDED = 1

/** The size of chunks if a file has them, or else its first block. */
function fileStart(layout: ImageLayout, addresses: DeviceAddresses, inode: number): number {
  const { inodes } = layout.tree
  const chunks = layout.chunksOf(inode)
  if (chunks !== undefined) return CHUNK_INDEXES | chunks.bits
  const start = inodes.start(inode)
  return start === NO_BLOCK ? NO_BLOCK : start + addresses.start(inodes.device(inode))
}

function putIndexes(
  { blocks }: Chunks,
  addresses: DeviceAddresses,
  device: number,
  out: BlockBuffer
): void {
  for (const block of blocks) {
    const at = out.claim(CHUNK_INDEX_SIZE)
    const isHole = block === NO_BLOCK
    out.bytes.writeUInt16LE(isHole ? 0xffff : 0, at)
    out.bytes.writeUInt16LE(isHole ? 0 : addresses.id(device), at + 2)
    out.bytes.writeUInt32LE(isHole ? NO_BLOCK : block + addresses.start(device), at + 4)
  }
}

/** The last piece of what an inline inode contains. */
function tail(layout: ImageLayout, inode: number): Buffer {
  let last: Buffer = Buffer.alloc(0)
  for (const piece of content(layout, inode)) last = piece
  return last
}

function* content(layout: ImageLayout, inode: number): Generator<Buffer> {
  const { tree } = layout
  const target = tree.targetOf(inode)
  if (target !== undefined) yield toBuffer(target)
  if (!tree.isDirectory(inode)) return
  const { names, inodes } = layout.contentOf(inode)
  yield* directoryBlocks(names, (index) => dirent(tree, inodes[index]!))
}

function dirent({ inodes }: ImageTree, inode: number): Dirent {
  return { nid: inodes.nid(inode), type: FILE_TYPES[inodes.type(inode)].dirent }
}
