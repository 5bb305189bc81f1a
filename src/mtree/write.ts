/** Writes tree manifests. */
import type { ByteString } from '../bytes.ts'
import { inTreeManifestOrder, type MtreeNode } from './entry.ts'
import { childLabel, comment, ROOT_LABEL, TreeManifestLines } from './lines.ts'

/** The comment at the head of a tree manifest, only for people. */
export interface TreeManifestHeader {
  user: ByteString
  machine: ByteString
  tree: ByteString
  date: Date
  /** Those that the lines state. */
  keywords: readonly string[]
}

type Step<Node> = { kind: 'enter'; node: Node; label: ByteString } | { kind: 'leave' }

/** One write(2) per 64 KiB keeps system calls and memory low. */
const CHUNK_CHARACTERS = 65_536

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
  yield formatHeader(header)
  const lines = new TreeManifestLines()
  const pending: Step<Node>[] = [{ kind: 'enter', node: root, label: ROOT_LABEL }]
  for (let step = pending.pop(); step !== undefined; step = pending.pop()) {
    if (step.kind === 'leave') lines.leave(1)
    else {
      const { node, label } = step
      onNode(node)
      lines.enter(label, node)
      const { leaves, directories } = inTreeManifestOrder(node.children ?? [])
      for (const leaf of leaves) {
        onNode(leaf)
        lines.leaf(leaf)
        if (lines.length >= CHUNK_CHARACTERS) yield lines.take()
      }
      pending.push({ kind: 'leave' })
      for (const child of directories.reverse())
        pending.push({ kind: 'enter', node: child, label: childLabel(label, child.name) })
    }
    if (lines.length >= CHUNK_CHARACTERS) yield lines.take()
  }
  yield lines.take()
}

export function formatHeader({ user, machine, tree, date, keywords }: TreeManifestHeader): string {
  return [
    `#          user: ${comment(user)}`,
    `#       machine: ${comment(machine)}`,
    `#          tree: ${comment(tree)}`,
    `#          date: ${formatDate(date)}`,
    `#      keywords: ${keywords.join(',')}`,
    ''
  ].join('\n')
}

/** Go's `Mon Jan 2 15:04:05 2006`, in UTC. */
function formatDate(date: Date): string {
  const [, day, month, year, time] = /^(\w+), (\d+ \w+) (\d+) (\S+)/.exec(date.toUTCString()) ?? []
  const [number = '', name = ''] = (month ?? '').split(' ')
  return `${day ?? ''} ${name} ${Number(number)} ${time ?? ''} ${year ?? ''}`
}
