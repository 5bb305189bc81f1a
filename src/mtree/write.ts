/** Writes tree manifests. */
import { toBuffer, type ByteString } from '../bytes.ts'
import type { Xattr } from '../tar/entry.ts'
import {
  formatMode,
  inTreeManifestOrder,
  recordsXattrs,
  UMOCI_KEYWORDS,
  type MtreeNode
} from './entry.ts'
import { visEncode } from './vis.ts'

/** The comment at the head of a tree manifest, only for people. */
export interface TreeManifestHeader {
  user: ByteString
  machine: ByteString
  tree: ByteString
  date: Date
}

/** The defaults that `/set` has made. */
interface Defaults {
  uid: number
  gid: number
}

type Step<Node> = { kind: 'enter'; node: Node; label: ByteString } | { kind: 'leave' }

/** One write(2) per 64 KiB keeps system calls and memory low. */
const CHUNK_CHARACTERS = 65_536

/** go-mtree and umoci read lines of at most 64 KiB; mtree(5) lets a backslash continue a line. */
const LINE_CHARACTERS = 60_000

/** Longer directory comments are cut, because their total size would grow with the square of the depth. */
const LABEL_CHARACTERS = 4_096

/**
 * The tree manifest's text (one character for each byte) in pieces of about 64 KiB, in the layout of go-mtree for
 * umoci: mtree(5) with relative names, directories after the files beside them. Xattrs keep their given order.
 * `children` is read once for each directory, when its turn comes; `onNode` gets every node in the order of lines.
 */
export function* formatTreeManifest<Node extends MtreeNode & { children?: readonly Node[] }>(
  root: Node,
  header: TreeManifestHeader,
  onNode: (node: Node) => void = () => undefined
): Generator<string> {
  let chunk = formatHeader(header)
  for (const text of formatTree(root, onNode)) {
    chunk += text
    if (chunk.length < CHUNK_CHARACTERS) continue
    yield chunk
    chunk = ''
  }
  yield chunk
}

function formatHeader({ user, machine, tree, date }: TreeManifestHeader): string {
  return [
    `#          user: ${comment(user)}`,
    `#       machine: ${comment(machine)}`,
    `#          tree: ${comment(tree)}`,
    `#          date: ${formatDate(date)}`,
    `#      keywords: ${UMOCI_KEYWORDS.join(',')}`,
    ''
  ].join('\n')
}

/** Go's `Mon Jan 2 15:04:05 2006`, in UTC. */
function formatDate(date: Date): string {
  const [, day, month, year, time] = /^(\w+), (\d+ \w+) (\d+) (\S+)/.exec(date.toUTCString()) ?? []
  const [number = '', name = ''] = (month ?? '').split(' ')
  return `${day ?? ''} ${name} ${Number(number)} ${time ?? ''} ${year ?? ''}`
}

function* formatTree<Node extends MtreeNode & { children?: readonly Node[] }>(
  root: Node,
  onNode: (node: Node) => void
): Generator<string> {
  let defaults: Defaults | undefined
  const pending: Step<Node>[] = [{ kind: 'enter', node: root, label: '.' }]
  for (let step = pending.pop(); step !== undefined; step = pending.pop()) {
    if (step.kind === 'leave') {
      yield '..\n'
      continue
    }
    const { node, label } = step
    yield `\n# ${comment(label)}\n`
    if (defaults?.uid !== node.uid || defaults.gid !== node.gid) {
      defaults = { uid: node.uid, gid: node.gid }
      yield `/set type=file nlink=1 mode=0664 uid=${node.uid} gid=${node.gid}\n`
    }
    onNode(node)
    yield formatLine('', node, defaults)
    const { leaves, directories } = inTreeManifestOrder(node.children ?? [])
    for (const leaf of leaves) {
      onNode(leaf)
      yield formatLine('    ', leaf, defaults)
    }
    pending.push({ kind: 'leave' })
    for (const child of directories.reverse()) {
      pending.push({ kind: 'enter', node: child, label: childLabel(label, child.name) })
    }
  }
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

function childLabel(parent: ByteString, name: ByteString): ByteString {
  if (parent === '.') return name
  return parent.length > LABEL_CHARACTERS ? `.../${name}` : `${parent}/${name}`
}

/** As written, but on one line: after a newline, the rest of a name would become an entry. */
function comment(text: ByteString): string {
  return text.replace(/[\x00-\x1f\x7f]/g, visEncode)
}
