/** Walks through an image, and checks what only the whole tree can tell. */
import { display, type ByteString } from '../bytes.ts'
import { withFacts } from '../errors.ts'
import { BLOCK, DIRENT_SIZE } from './format.ts'
import type { ImageDirent } from './read-directory.ts'
import type { ErofsImage } from './read-image.ts'
import type { ImageInode } from './read-inode.ts'
import { invalid } from './read-source.ts'

export interface Visited {
  /** Relative to the root, which is ''. */
  path: ByteString
  inode: ImageInode
}

/**
 * Every name of the image, directories before what is in them. An inode with several names comes once for each.
 * @throws EROFS_INVALID also for directories that contain themselves, and for wrong links, types and numbers of links
 */
export function* walkImage(image: ErofsImage): Generator<Visited> {
  const root = image.inode(image.superblock.rootNid)
  if (root.type !== 'directory') throw invalid('its root is not a directory')
  const books = new Books(image)
  const waiting: { path: ByteString; inode: ImageInode; parent: number }[] = [
    { path: '', inode: root, parent: root.nid }
  ]
  books.enter(root)
  yield { path: '', inode: root }
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const directory = next
    for (const child of within(directory.path, () => children(image, directory, books))) {
      const path = directory.path === '' ? child.name : `${directory.path}/${child.name}`
      yield { path, inode: child.inode }
      if (child.inode.type === 'directory')
        waiting.push({ path, inode: child.inode, parent: directory.inode.nid })
    }
  }
  books.close()
}

interface Child {
  name: ByteString
  inode: ImageInode
}

function children(
  image: ErofsImage,
  { inode, parent }: { inode: ImageInode; parent: number },
  books: Books
): Child[] {
  const found: Child[] = []
  const dots: ImageDirent[] = []
  for (const dirent of image.dirents(inode))
    if (dirent.name === '.' || dirent.name === '..') dots.push(dirent)
    else found.push(childOf(image, dirent, books))
  checkDots(dots, inode.nid, parent)
  const directories = found.filter((child) => child.inode.type === 'directory').length
  if (inode.links !== 2 + directories)
    throw invalid('a directory has a wrong number of links', {
      expected: 2 + directories,
      found: inode.links
    })
  return found
}

function childOf(image: ErofsImage, { name, nid, type }: ImageDirent, books: Books): Child {
  const inode = image.inode(nid)
  if (inode.type !== type)
    throw invalid('an entry of a directory has another type than its inode', {
      found: display(name)
    })
  books.enter(inode)
  return { name, inode }
}

function checkDots(dots: readonly ImageDirent[], own: number, parent: number): void {
  const [self, up] = dots
  if (self?.name !== '.' || self.nid !== own || up?.name !== '..' || up.nid !== parent)
    throw invalid('a directory does not lead to itself and to its parent')
  if (self.type !== 'directory' || up.type !== 'directory')
    throw invalid('a directory leads to itself or its parent as something else')
}

/** What was seen: no directory comes twice, and every other inode as often as it says. */
class Books {
  private readonly directories = new Set<number>()
  private readonly links = new Map<number, { seen: number; expected: number }>()
  private namesLeft: number

  constructor({ superblock }: ErofsImage) {
    this.namesLeft = (superblock.blocks * BLOCK) / DIRENT_SIZE
  }

  enter({ nid, type, links }: ImageInode): void {
    // blocks that many directories share could otherwise cost any amount of time
    if (--this.namesLeft < 0) throw invalid('it has more names than its size allows')
    if (type === 'directory') this.enterDirectory(nid)
    else this.countLink(nid, links)
  }

  close(): void {
    for (const { seen, expected } of this.links.values())
      if (seen !== expected)
        throw invalid('an inode has a wrong number of links', { expected, found: seen })
  }

  private enterDirectory(nid: number): void {
    if (this.directories.has(nid)) throw invalid('a directory has two names')
    this.directories.add(nid)
  }

  private countLink(nid: number, expected: number): void {
    const count = this.links.get(nid)
    if (count === undefined) this.links.set(nid, { seen: 1, expected })
    else count.seen++
  }
}

function within<T>(path: ByteString, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw withFacts(error, { entry: path === '' ? '/' : display(path) })
  }
}
