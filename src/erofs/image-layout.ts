/**
 * Gives every inode and every directory of a tree its place in the image: first blocks with the entries of directories,
 * then the records of inodes. Both follow the tree breadth first, by name, so the root comes first, as its number has
 * only 16 bits.
 */
import type { ByteString } from '../bytes.ts'
import { inChunks, wholeChunks, type Chunks } from './bodies.ts'
import { isDot, nameBlocks, sortedNames, type NameBlocks } from './directory-blocks.ts'
import { tooMany } from './faults.ts'
import {
  aligned,
  BLOCK,
  blocksOf,
  CHUNK_INDEX_SIZE,
  EXTENDED_SIZE,
  LAYOUT,
  MAX_BLOCKS,
  NO_BLOCK,
  SLOT
} from './format.ts'
import { ROOT, type ImageTree } from './image-tree.ts'

/** A longer end of a directory gets a block of its own: it would leave too much of the block before it empty. */
const LONGEST_TAIL = 2048

/** What lies behind a record and its attributes. */
interface Behind {
  layout: number
  /** Bytes that belong to the record, with the attributes. */
  length: number
}

/** The names of a directory as they are written, with `.` and `..`, and the inode of each. */
export interface DirectoryContent extends NameBlocks {
  names: readonly ByteString[]
  inodes: readonly number[]
}

export class ImageLayout {
  readonly tree: ImageTree
  /** Inodes in the order of their records. */
  readonly order: number[] = []
  /** Where the blocks of directories begin, and where they end and the records begin. */
  readonly firstBlock: number
  inodeArea: number
  /** Whether any file has chunks. */
  hasChunks = false
  private readonly indexed: boolean
  private readonly contents = new Map<number, DirectoryContent>()
  /** The end of the records so far, from the start of the first. Number 0 is left out: some programs take it for none. */
  private end: number = SLOT

  /**
   * @param tree gets the places in place of those that another layout gave it
   * @param firstBlock the first that is free
   * @param indexed whether files are found by chunk indexes, even if they are in one piece
   */
  constructor(tree: ImageTree, firstBlock: number, indexed: boolean) {
    this.tree = tree
    this.firstBlock = firstBlock
    this.inodeArea = firstBlock
    this.indexed = indexed
    tree.inodes.forgetPlaces()
    this.placeAll()
    if (this.blocks > MAX_BLOCKS)
      throw tooMany('so much data', `at most ${MAX_BLOCKS} blocks`, this.blocks)
  }

  /** The length of the image. */
  get blocks(): number {
    return this.inodeArea + blocksOf(this.end)
  }

  contentOf(directory: number): DirectoryContent {
    return this.contents.get(directory)!
  }

  /** The chunks of a file that has any. */
  chunksOf(inode: number): Chunks | undefined {
    const { inodes } = this.tree
    if (inodes.type(inode) !== 'file') return undefined
    const chunks = this.tree.chunksOf(inode)
    if (chunks !== undefined || !this.indexed || inodes.size(inode) === 0) return chunks
    return inChunks(inodes.start(inode), inodes.size(inode))
  }

  /** How an inode's content lies, and the length of its record with what belongs to it. */
  private behind(inode: number): Behind {
    const { inodes } = this.tree
    const head = EXTENDED_SIZE + this.tree.xattrsOf(inode).length
    const type = inodes.type(inode)
    const chunks = type === 'file' ? this.countChunks(inode) : 0
    if (chunks > 0)
      return {
        layout: LAYOUT.chunks,
        length: aligned(head, CHUNK_INDEX_SIZE) + chunks * CHUNK_INDEX_SIZE
      }
    const tail = type === 'directory' || type === 'symlink' ? inodes.size(inode) % BLOCK : 0
    const isShort = type === 'symlink' || tail <= LONGEST_TAIL
    return tail > 0 && isShort && head + tail <= BLOCK
      ? { layout: LAYOUT.inline, length: head + tail }
      : { layout: LAYOUT.plain, length: head }
  }

  private countChunks(inode: number): number {
    const chunks = this.tree.chunksOf(inode)
    if (chunks !== undefined) return chunks.blocks.length
    return this.indexed ? wholeChunks(this.tree.inodes.size(inode)) : 0
  }

  private placeAll(): void {
    this.place(ROOT)
    for (const inode of this.order) if (this.tree.isDirectory(inode)) this.placeChildren(inode)
  }

  private placeChildren(directory: number): void {
    const { inodes } = this.tree
    const { names, inodes: children } = this.contentOf(directory)
    let directories = 0
    for (const [i, inode] of children.entries()) {
      if (isDot(names[i]!)) continue
      if (inodes.nid(inode) === 0) this.place(inode)
      if (this.tree.isDirectory(inode)) directories++
      else inodes.setLinks(inode, inodes.links(inode) + 1)
    }
    inodes.setLinks(directory, 2 + directories)
  }

  private place(inode: number): void {
    const { inodes } = this.tree
    if (this.tree.isDirectory(inode)) {
      const content = this.sorted(inode)
      this.contents.set(inode, content)
      inodes.setSize(inode, content.size)
    }
    const { layout, length } = this.behind(inode)
    inodes.setLayout(inode, layout)
    if (layout === LAYOUT.chunks) this.hasChunks = true
    this.takeBlocks(inode, layout)
    const room = BLOCK - (this.end % BLOCK)
    // the kernel refuses a record or a tail that crosses into the next block
    if (room < (layout === LAYOUT.inline ? length : EXTENDED_SIZE)) this.end += room
    inodes.setNid(inode, this.end / SLOT)
    this.end = aligned(this.end + length, SLOT)
    this.order.push(inode)
  }

  private sorted(directory: number): DirectoryContent {
    const children = this.tree.namesOf(directory)
    const names = sortedNames(children.keys())
    const parent = this.tree.parentOf(directory)
    const inodes = names.map((name) =>
      isDot(name) ? (name === '.' ? directory : parent) : children.get(name)!
    )
    return { names, inodes, ...nameBlocks(names) }
  }

  /** Blocks for the content of a directory or link that does not follow its record. */
  private takeBlocks(inode: number, layout: number): void {
    const { inodes } = this.tree
    const type = inodes.type(inode)
    if (type !== 'directory' && type !== 'symlink') return
    const size = inodes.size(inode)
    const blocks = layout === LAYOUT.inline ? Math.floor(size / BLOCK) : blocksOf(size)
    inodes.setStart(inode, blocks === 0 ? NO_BLOCK : this.inodeArea)
    this.inodeArea += blocks
  }
}
