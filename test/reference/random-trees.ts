/** Random trees that are there before an unpack, with metadata of every kind, over the names of the random layers. */
import * as fc from 'fast-check'
import * as fs from 'node:fs'
import { AT_FDCWD } from '../../src/sys/files.ts'
import { setMode, setOwner, setTimes, setXattr, type Time } from '../../src/sys/metadata.ts'
import { makeSpecial } from '../../src/sys/names.ts'
import type { Xattr } from '../../src/tar/entry.ts'

interface Metadata {
  mode: number
  uid: number
  gid: number
  time: Time
  xattrs: readonly Xattr[]
}

export interface TreeNode extends Metadata {
  kind: 'directory' | 'file' | 'symlink' | 'fifo' | 'link to the last file'
  text: string
  children: readonly (readonly [name: string, node: TreeNode])[]
}

const time = fc.record({
  sec: fc.integer({ min: 1, max: 2_000_000_000 }),
  nsec: fc.integer({ min: 0, max: 999_999_999 })
})

const metadata = {
  mode: fc.oneof(
    fc.constantFrom(0, 0o700, 0o755, 0o2755, 0o1777, 0o4711, 0o555),
    fc.integer({ min: 0, max: 0o7777 })
  ),
  uid: fc.constantFrom(0, 7, 1000),
  gid: fc.constantFrom(0, 9, 1000),
  time
}

/** An ACL as the kernel takes it: for the owner, user 7, the group, the mask and others. */
function acl(permissions: number): string {
  const entries = [
    [0x01, 7, 0xffff_ffff],
    [0x02, permissions & 7, 7],
    [0x04, 5, 0xffff_ffff],
    [0x10, 7, 0xffff_ffff],
    [0x20, 0, 0xffff_ffff]
  ] as const
  const bytes = Buffer.alloc(4 + 8 * entries.length)
  bytes.writeUInt32LE(2, 0)
  entries.forEach(([tag, permission, id], index) => {
    bytes.writeUInt16LE(tag, 4 + 8 * index)
    bytes.writeUInt16LE(permission, 6 + 8 * index)
    bytes.writeUInt32LE(id, 8 + 8 * index)
  })
  return bytes.toString('latin1')
}

const directoryXattrs: fc.Arbitrary<readonly Xattr[]> = fc.subarray<Xattr>([
  ['system.posix_acl_access', acl(6)],
  ['system.posix_acl_default', acl(5)],
  ['trusted.old', '\0\xfe'],
  ['user.old', 'text']
])

const leaf: fc.Arbitrary<TreeNode> = fc.record({
  kind: fc.constantFrom('file', 'file', 'symlink', 'fifo', 'link to the last file'),
  ...metadata,
  text: fc.constantFrom('a', 'b/c', '/d', '../a', '.'),
  xattrs: fc.subarray<Xattr>([['trusted.old', 'leaf']]),
  children: fc.constant([])
})

const name = fc.constantFrom('a', 'b', 'c', 'd', '\xff', 'a b', 'only here', 'x')

const { directory } = fc.letrec<{ directory: TreeNode; node: TreeNode }>((tie) => ({
  node: fc.oneof({ maxDepth: 2, withCrossShrink: true }, leaf, tie('directory')),
  directory: fc.record({
    kind: fc.constant('directory' as const),
    ...metadata,
    text: fc.constant(''),
    xattrs: directoryXattrs,
    children: fc.uniqueArray(fc.tuple(name, tie('node')), {
      maxLength: 8,
      selector: ([childName]) => childName
    })
  })
}))

export const existingTree: fc.Arbitrary<TreeNode> = directory

/** Makes the tree at a path where nothing is. */
export function buildTree(path: string, tree: TreeNode): void {
  new Builder().build(path, tree)
}

class Builder {
  private lastFile: string | undefined

  build(path: string, node: TreeNode): void {
    const { kind } = node
    if (kind === 'link to the last file' && this.lastFile !== undefined) {
      fs.linkSync(latin1(this.lastFile), latin1(path))
      return
    }
    if (kind === 'directory') {
      fs.mkdirSync(latin1(path))
      for (const [childName, child] of node.children) this.build(`${path}/${childName}`, child)
    } else if (kind === 'symlink') fs.symlinkSync(latin1(node.text), latin1(path))
    else if (kind === 'fifo') makeSpecial(AT_FDCWD, path, 'fifo', 0o600, 0, 0)
    else {
      fs.writeFileSync(latin1(path), node.text)
      this.lastFile = path
    }
    describe(path, node)
  }
}

function describe(path: string, { kind, mode, uid, gid, time: at, xattrs }: TreeNode): void {
  setOwner(AT_FDCWD, path, uid, gid)
  if (kind !== 'symlink') setMode(AT_FDCWD, path, mode)
  for (const [key, value] of xattrs) setXattr(AT_FDCWD, path, key, value)
  setTimes(AT_FDCWD, path, at, at)
}

function latin1(path: string): Buffer {
  return Buffer.from(path, 'latin1')
}
