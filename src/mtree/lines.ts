/** The lines of a tree manifest, in the layout of go-mtree for umoci: a comment, defaults and a line for each directory, then its files. */
import { toBuffer, type ByteString } from '../bytes.ts'
import type { Xattr } from '../tar/entry.ts'
import { formatMode, recordsXattrs, type MtreeNode } from './entry.ts'
import { visEncode } from './vis.ts'

/** The defaults that `/set` has made. */
export interface Defaults {
  uid: number
  gid: number
}

/** go-mtree and umoci read lines of at most 64 KiB; mtree(5) lets a backslash continue a line. */
const LINE_CHARACTERS = 60_000

/** Longer directory comments are cut, because their total size would grow with the square of the depth. */
const LABEL_CHARACTERS = 4_096

/** The label of the root. */
export const ROOT_LABEL = '.'

/** The lines of directories that follow each other in a tree manifest, from the first one or from any other. */
export class TreeManifestLines {
  private text = ''
  private defaults: Defaults | undefined
  private first: SetLine | undefined

  get length(): number {
    return this.text.length
  }

  /** The first line with defaults, of the directory that was entered first. */
  get firstSet(): SetLine {
    return this.first!
  }

  /** Those of the last directory. */
  get lastDefaults(): Defaults {
    return this.defaults!
  }

  /** @param label its path, as `childLabel` makes it */
  enter(label: ByteString, node: MtreeNode): void {
    this.text += `\n# ${comment(label)}\n`
    this.setDefaults(node)
    this.text += formatLine('', node, this.lastDefaults)
  }

  /** A file or link in the directory that was entered last. */
  leaf(node: MtreeNode): void {
    this.text += formatLine('    ', node, this.lastDefaults)
  }

  leave(directories: number): void {
    this.text += '..\n'.repeat(directories)
  }

  /** What was added since the last call. */
  take(): string {
    const { text } = this
    this.text = ''
    return text
  }

  private setDefaults(node: MtreeNode): void {
    if (this.defaults !== undefined && sameDefaults(this.defaults, node)) return
    const { uid, gid } = node
    const from = this.text.length
    this.defaults = { uid, gid }
    this.text += `/set type=file nlink=1 mode=0664 uid=${uid} gid=${gid}\n`
    this.first ??= { from, to: this.text.length, defaults: this.defaults }
  }
}

/** A line that sets defaults, as a range of characters. If they are those of the directory before, it is left out. */
export interface SetLine {
  from: number
  to: number
  defaults: Defaults
}

export function sameDefaults(a: Defaults, b: Defaults): boolean {
  return a.uid === b.uid && a.gid === b.gid
}

function formatLine(indent: string, node: MtreeNode, defaults: Defaults): string {
  let line = `${indent}${node.name === '.' ? '.' : visEncode(node.name)} size=${node.size}`
  if (node.type !== 'file') line += ` type=${node.type}`
  if (node.uid !== defaults.uid) line += ` uid=${node.uid}`
  if (node.gid !== defaults.gid) line += ` gid=${node.gid}`
  if (node.mode !== 0o664) line += ` mode=${formatMode(node.mode)}`
  if (node.link !== undefined) line += ` link=${visEncode(node.link)}`
  if (node.nlink !== 1) line += ` nlink=${node.nlink}`
  line += ` tar_time=${node.mtimeSec}.000000000`
  if (node.sha256 !== undefined) line += ` sha256digest=${node.sha256}`
  if (node.xattrs !== undefined && recordsXattrs(node.type)) line += formatXattrs(node.xattrs)
  return (line.length > LINE_CHARACTERS ? continueLine(line) : line) + '\n'
}

function formatXattrs(xattrs: readonly Xattr[]): string {
  let text = ''
  for (const [name, value] of xattrs) {
    text += ` xattr.${keywordName(name)}=${toBuffer(value).toString('base64')}`
  }
  return text
}

/** go-mtree does not encode `=` in a name, although its own readers then take it for the end of the keyword. */
function keywordName(name: ByteString): string {
  return visEncode(name).replaceAll('=', '\\075')
}

/** Never cuts a `\\\\` in two: an odd number of backslashes continues a line. */
function continueLine(line: string): string {
  const pieces: string[] = []
  let from = 0
  while (line.length - from > LINE_CHARACTERS) {
    let to = from + LINE_CHARACTERS
    if (/\\*$/.exec(line.slice(from, to))![0].length % 2 === 1) to -= 1
    pieces.push(line.slice(from, to))
    from = to
  }
  pieces.push(line.slice(from))
  return pieces.join('\\\n')
}

export function childLabel(parent: ByteString, name: ByteString): ByteString {
  if (parent === '.') return name
  return parent.length > LABEL_CHARACTERS ? `.../${name}` : `${parent}/${name}`
}

/** As written, but on one line: after a newline, the rest of a name would become an entry. */
export function comment(text: ByteString): string {
  return text.replace(/[\x00-\x1f\x7f]/g, visEncode)
}
