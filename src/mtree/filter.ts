/** Leaves out differences that do not count. */
import type { ByteString } from '../bytes.ts'
import type { Delta } from './compare.ts'
import type { MtreeEntry } from './entry.ts'

/**
 * Drops everything at or below a mask. Masks are clean paths relative to the root; a mask of the root itself (`''`) has
 * no effect. The parent of a masked path is not masked.
 */
export function maskDeltas(deltas: readonly Delta[], masks: readonly ByteString[]): Delta[] {
  const isMasked = maskOf(masks)
  return deltas.filter(({ path }) => !isMasked(path))
}

/** Whether a path is at or below a mask. */
export function maskOf(masks: readonly ByteString[]): (path: ByteString) => boolean {
  const masked = new Set(masks)
  if (masked.size === 0) return () => false
  return (path) => masked.has(path) || hasAncestorIn(path, masked)
}

/**
 * An image cannot contain a socket: an object that became one counts as deleted, and one that replaced a socket as new.
 */
export function withoutSockets(deltas: readonly Delta[]): Delta[] {
  return deltas.flatMap((delta): Delta[] => {
    const { path } = delta
    const before = delta.kind === 'extra' ? undefined : inImage(delta.before)
    const after = delta.kind === 'missing' ? undefined : inImage(delta.after)
    if (before !== undefined && after !== undefined) return [delta]
    if (after !== undefined) return [{ kind: 'extra', path, after }]
    return before === undefined ? [] : [{ kind: 'missing', path, before }]
  })
}

function inImage<Typed extends Pick<MtreeEntry, 'type'>>(object: Typed): Typed | undefined {
  return object.type === 'socket' ? undefined : object
}

/**
 * Drops deletions that another delta already implies: those below a deleted directory, and those below a directory that
 * something else replaced. The second kind is not only unnecessary: as whiteouts after a symlink, they would delete
 * files in the target of the link.
 */
export function simplifyDeltas(deltas: readonly Delta[]): Delta[] {
  const gone = new Set(deltas.filter(removesDirectory).map(({ path }) => path))
  if (gone.size === 0) return [...deltas]
  return deltas.filter((delta) => delta.kind !== 'missing' || !hasAncestorIn(delta.path, gone))
}

function removesDirectory(delta: Delta): boolean {
  switch (delta.kind) {
    case 'extra':
      return false
    case 'missing':
      return delta.before.type === 'dir'
    case 'modified':
      return delta.before.type === 'dir' && delta.after.type !== 'dir'
  }
}

function hasAncestorIn(path: ByteString, paths: ReadonlySet<ByteString>): boolean {
  for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) {
    if (paths.has(path.slice(0, at))) return true
  }
  return false
}
