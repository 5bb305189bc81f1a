import type { ByteString } from '../../src/bytes.ts'
import { placeNodes, toMtreeEntry, UMOCI_KEYWORDS } from '../../src/mtree/entry.ts'
import type { MtreeEntry, MtreeNode } from '../../src/mtree/entry.ts'
import { formatTreeManifest, type TreeManifestHeader } from '../../src/mtree/write.ts'

export const HEADER: TreeManifestHeader = {
  user: 'root',
  machine: 'vm',
  tree: 'bundle/rootfs',
  date: new Date('2026-11-05T02:17:13Z'),
  keywords: UMOCI_KEYWORDS
}

const BASE = { size: 0, uid: 0, gid: 0, mode: 0o644, nlink: 1, mtimeSec: 100 }

export function file(name: ByteString, more: Partial<MtreeNode> = {}): MtreeNode {
  return { ...BASE, name, type: 'file', sha256: 'ab'.repeat(32), ...more }
}

export function link(name: ByteString, target: ByteString): MtreeNode {
  return { ...BASE, name, type: 'link', mode: 0o777, link: target, size: target.length }
}

export function dir(name: ByteString, ...children: MtreeNode[]): MtreeNode {
  return { ...BASE, name, type: 'dir', mode: 0o755, nlink: 2, size: 4096, children }
}

export function entries(root: MtreeNode): MtreeEntry[] {
  return Array.from(placeNodes(root), toMtreeEntry)
}

export function manifestText(root: MtreeNode): string {
  return [...formatTreeManifest(root, HEADER)].join('')
}

/** The tree that a manifest of relative names describes. */
export function toTree(list: readonly MtreeEntry[]): MtreeNode {
  const nodes = new Map<ByteString, MtreeNode & { children: MtreeNode[] }>()
  for (const entry of list) {
    const slash = entry.path.lastIndexOf('/')
    const node = { ...toNode(entry, entry.path.slice(slash + 1)), children: [] }
    nodes.set(entry.path, node)
    if (entry.path === '.') continue
    nodes.get(slash === -1 ? '.' : entry.path.slice(0, slash))!.children.push(node)
  }
  return nodes.get('.')!
}

function toNode(entry: MtreeEntry, name: ByteString): MtreeNode {
  const { type, size, uid, gid, mode, nlink, mtimeSec, link: target, sha256, xattrs } = entry
  return {
    name,
    type: type!,
    size: size!,
    uid: uid!,
    gid: gid!,
    mode: mode!,
    nlink: nlink!,
    mtimeSec: mtimeSec!,
    xattrs,
    ...(target === undefined ? {} : { link: target }),
    ...(sha256 === undefined ? {} : { sha256 })
  }
}
