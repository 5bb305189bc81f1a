/**
 * The positions of a tree manifest's lines and their paths. This takes a fifth of the time and memory of reading all
 * keywords. It detects no damage, so it is only for text that this program wrote and nothing has changed since.
 */
import { type ByteString } from '../bytes.ts'
import type { MtreeEntry } from './entry.ts'
import type { EntryList } from './entry-list.ts'
import type { Values } from './keyword.ts'
import { parseDefaults, parseLine } from './parse.ts'
import { visDecode } from './vis.ts'

const NEWLINE = 0x0a
const SPACE = 0x20
const HASH = 0x23
const DOT = 0x2e
const SLASH = 0x2f
const BACKSLASH = 0x5c

export class TreeManifestOutline implements EntryList {
  private readonly bytes: Buffer
  private readonly paths: ByteString[] = []
  private readonly directories: boolean[] = []
  /** Where the line of each entry begins, and the `/set` line that applies to it. */
  private readonly starts: number[] = []
  private readonly sets: number[] = []
  private readonly values = new Map<number, Values>()

  /** @param bytes as `formatTreeManifest` writes them */
  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.readLines()
  }

  get count(): number {
    return this.paths.length
  }

  path(index: number): ByteString {
    return this.paths[index]!
  }

  isDirectory(index: number): boolean {
    return this.directories[index]!
  }

  entry(index: number): MtreeEntry {
    const entry = parseLine(this.line(this.starts[index]!), this.defaults(this.sets[index]!))
    entry.path = this.path(index)
    return entry
  }

  /** A tree manifest has only a few of them. */
  private defaults(set: number): Values {
    const known = this.values.get(set)
    if (known !== undefined) return known
    const values = parseDefaults(this.line(set))
    this.values.set(set, values)
    return values
  }

  private readLines(): void {
    const parents: ByteString[] = []
    let set = 0
    for (let at = 0, end; at < this.bytes.length; at = end + 1) {
      end = this.endOfLine(at)
      const first = this.bytes[at]
      if (at === end || first === HASH) continue
      if (first === SLASH) set = at
      else if (first === DOT && this.bytes[at + 1] === DOT && end === at + 2) parents.pop()
      else this.add(at, end, set, parents)
    }
  }

  /** Lines of directories are not indented. */
  private add(at: number, end: number, set: number, parents: ByteString[]): void {
    let start = at
    while (this.bytes[start] === SPACE) start += 1
    const space = Math.min(this.bytes.indexOf(SPACE, start) >>> 0, end)
    const path = joinBelow(parents.at(-1), this.name(start, space))
    const isDirectory = start === at && this.isDirectoryLine(space, end)
    if (isDirectory) parents.push(path)
    this.paths.push(path)
    this.directories.push(isDirectory)
    this.starts.push(start)
    this.sets.push(set)
  }

  private isDirectoryLine(from: number, end: number): boolean {
    const found = this.bytes.indexOf(' type=dir', from, 'latin1')
    return found !== -1 && found < end
  }

  private name(start: number, end: number): ByteString {
    return visDecode(this.bytes.toString('latin1', start, end)) ?? ''
  }

  private line(start: number): string {
    return this.bytes.toString('latin1', start, this.endOfLine(start))
  }

  /** The newline that ends the line; one after a lone backslash continues it. */
  private endOfLine(start: number): number {
    for (let from = start; ;) {
      const end = this.bytes.indexOf(NEWLINE, from)
      if (end === -1) return this.bytes.length
      if (this.bytes[start] === HASH || !this.isContinued(end)) return end
      from = end + 1
    }
  }

  /** An odd number of backslashes continues a line: `\\` is an encoded backslash. */
  private isContinued(end: number): boolean {
    let at = end
    while (this.bytes[at - 1] === BACKSLASH) at -= 1
    return (end - at) % 2 === 1
  }
}

function joinBelow(parent: ByteString | undefined, name: ByteString): ByteString {
  return parent === undefined || parent === '.' ? name : `${parent}/${name}`
}
