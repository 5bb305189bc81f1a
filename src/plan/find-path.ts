/** Where a path leads in a merged tree. Links are followed inside the image only, as for a process whose root it is. */
import { display, type ByteString } from '../bytes.ts'
import { OciUnpackError } from '../errors.ts'
import type { Directory, Leaf } from './tree.ts'

/** The same limit as the kernel's. */
const MAX_SYMLINKS = 40

export type Found =
  | { kind: 'directory'; directory: Directory }
  | { kind: 'leaf'; parent: Directory; name: ByteString; leaf: Leaf }
  /** Nothing is there. */
  | { kind: 'missing'; parent: Directory; name: ByteString }
  /** A name on the way is not a directory. */
  | { kind: 'blocked' }

/**
 * @param last whether a link at the end is followed, too; one followed by a slash always is
 * @throws PATH_INVALID if symbolic links form a loop
 */
export function findPath(root: Directory, path: ByteString, last: 'follow' | 'keep'): Found {
  let directory = root
  let links = 0
  const pending = path.split('/').reverse()
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (name === '' || name === '.') continue
    if (name === '..') {
      directory = directory.parent ?? directory
      continue
    }
    const child = directory.children.get(name)
    if (child === undefined) return { kind: 'missing', parent: directory, name }
    const isLast = pending.length === 0
    if (child.kind === 'directory') directory = child
    else if (child.inode.type === 'symlink' && !(isLast && last === 'keep')) {
      if (++links > MAX_SYMLINKS) throw loop(path)
      const target = child.inode.link
      if (target.startsWith('/')) directory = root
      pending.push(...target.split('/').reverse())
    } else if (isLast) return { kind: 'leaf', parent: directory, name, leaf: child }
    else return { kind: 'blocked' }
  }
  return { kind: 'directory', directory }
}

function loop(path: ByteString): OciUnpackError {
  return new OciUnpackError('PATH_INVALID', 'Symbolic links form a loop.', {
    facts: { entry: display(path), reason: `more than ${MAX_SYMLINKS} links` }
  })
}
