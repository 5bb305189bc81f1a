/** Which paths a new layer contains, and in which order (image-spec layer.md, Representing Changes). Pure. */
import { compareBytes, display, type ByteString } from '../bytes.ts'
import { OciUnpackError } from '../errors.ts'
import type { Delta } from '../mtree/compare.ts'
import { baseName, joinPath, parentPath, WHITEOUT_PREFIX } from './names.ts'

/** All names of the file at `path`, including `path` itself, if there is more than one. */
export type NamesOf = (path: ByteString) => readonly ByteString[]

/**
 * Each path, with whether it exists; the layer deletes those that do not. Sorted bytewise. A file with several names
 * comes with all of them, changed or not, so that the layer links them again.
 * @throws ENTRY_INVALID for a name that would be read as a whiteout
 */
export function layerPaths(
  deltas: readonly Pick<Delta, 'kind' | 'path'>[],
  namesOf: NamesOf
): [path: ByteString, isThere: boolean][] {
  const paths = new Map<ByteString, boolean>()
  for (const { kind, path } of deltas) {
    const isThere = kind !== 'missing'
    const names = isThere ? namesOf(path) : []
    for (const name of names.length > 1 ? names : [path]) paths.set(representable(name), isThere)
  }
  return [...paths].sort(([a], [b]) => compareBytes(a, b))
}

/** @throws ENTRY_INVALID */
export function representable(path: ByteString): ByteString {
  if (!path.includes(WHITEOUT_PREFIX)) return path
  if (!path.split('/').some((name) => name.startsWith(WHITEOUT_PREFIX))) return path
  throw new OciUnpackError(
    'ENTRY_INVALID',
    'An image cannot contain a name that begins with ".wh.".',
    {
      facts: { entry: display(path) },
      hint: 'Such names mark deletions in layers. Rename or remove the file. `repack` can also mask its path.'
    }
  )
}

/** The name of the entry that deletes `path`. */
export function whiteoutName(path: ByteString): ByteString {
  return joinPath(parentPath(path), WHITEOUT_PREFIX + baseName(path))
}
