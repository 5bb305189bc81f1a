/** Writes the metadata of an image whose layout is fixed: the blocks of directories, and the records of inodes. */
import { toBuffer } from '../bytes.ts'
import type { Chunks } from './bodies.ts'
import { BlockBuffer } from './block-buffer.ts'
import { putDirectoryBlock, type Dirent } from './directory-blocks.ts'
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

/** The content of a directory or link that does not follow its record: whole blocks. */
function writeBlocks(layout: ImageLayout, inode: number, out: BlockBuffer): void {
  const { inodes } = layout.tree
  const type = inodes.type(inode)
  const isInline = inodes.layout(inode) === LAYOUT.inline
  if (type === 'symlink' && !isInline) {
    putTarget(layout, inode, out)
    out.fillTo(aligned(out.position, BLOCK))
  }
  if (type !== 'directory') return
  const blocks = blocksOfNames(layout, inode) - (isInline ? 1 : 0)
  for (let block = 0; block < blocks; block++) {
    putNames(layout, inode, block, out)
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
  const contentLayout = tree.inodes.layout(inode)
  const chunks = contentLayout === LAYOUT.chunks ? layout.chunksOf(inode) : undefined
  writeRecord(layout, addresses, inode, { serial, chunks }, out)
  if (xattrs.length > 0) out.put(xattrs)
  if (contentLayout === LAYOUT.inline) putTail(layout, inode, out)
  if (chunks === undefined) return
  out.fillTo(start + aligned(EXTENDED_SIZE + xattrs.length, CHUNK_INDEX_SIZE))
  putIndexes(chunks, addresses, tree.inodes.device(inode), out)
}

function writeRecord(
  layout: ImageLayout,
  addresses: DeviceAddresses,
  inode: number,
  { serial, chunks }: { serial: number; chunks: Chunks | undefined },
  out: BlockBuffer
): void {
  const { inodes } = layout.tree
  const at = out.claim(EXTENDED_SIZE)
  inodes.copy(inode, out.bytes, at)
  out.bytes.writeUInt16LE(xattrCount(layout.tree.xattrsOf(inode).length), at + INODE.xattrCount)
  out.bytes.writeUInt32LE(serial, at + INODE.serial)
  if (chunks !== undefined) out.bytes.writeUInt32LE(CHUNK_INDEXES | chunks.bits, at + INODE.start)
  else if (inodes.type(inode) === 'file')
    out.bytes.writeUInt32LE(firstBlock(layout, addresses, inode), at + INODE.start)
}

function firstBlock(layout: ImageLayout, addresses: DeviceAddresses, inode: number): number {
  const { inodes } = layout.tree
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
function putTail(layout: ImageLayout, inode: number, out: BlockBuffer): void {
  if (layout.tree.isDirectory(inode)) putNames(layout, inode, blocksOfNames(layout, inode) - 1, out)
  else putTarget(layout, inode, out)
}

function putTarget({ tree }: ImageLayout, inode: number, out: BlockBuffer): void {
  out.put(toBuffer(tree.targetOf(inode)!))
}

function blocksOfNames(layout: ImageLayout, directory: number): number {
  return layout.contentOf(directory).starts.length
}

/** One block of a directory, as far as it has names. */
function putNames(layout: ImageLayout, inode: number, block: number, out: BlockBuffer): void {
  const { names, inodes, starts } = layout.contentOf(inode)
  const first = starts[block]!
  putDirectoryBlock(out, names.slice(first, starts[block + 1]), (index) =>
    dirent(layout.tree, inodes[first + index]!)
  )
}

function dirent({ inodes }: ImageTree, inode: number): Dirent {
  return { nid: inodes.nid(inode), type: FILE_TYPES[inodes.type(inode)].dirent }
}
