/**
 * From changes to the entries of a new layer, in the order in which they are written (image-spec layer.md,
 * Representing Changes). Pure.
 */
import { compareBytes, display, type ByteString } from '../bytes.ts'
import { OciUnpackError } from '../errors.ts'
import { baseName, joinPath, parentPath, WHITEOUT_PREFIX } from './names.ts'

export type LayerItem =
  /** `path` is not there any more. */
  | { kind: 'whiteout'; path: ByteString }
  /** `path` as it is now. */
  | { kind: 'object'; path: ByteString }

/** One changed path: what is there now is new or other than before, or nothing is there any more. */
export interface Change {
  path: ByteString
  exists: boolean
}

/** All names of the file at `path`, itself among them, where it has more than one. */
export type NamesOf = (path: ByteString) => readonly ByteString[]

/**
 * Sorted bytewise by the path of what they are about. A file with several names comes with all of them, changed
 * or not: the layer then makes them links of each other again.
 * @throws ENTRY_INVALID for a name that readers would take for a whiteout
 */
export function layerItems(changes: readonly Change[], namesOf: NamesOf): LayerItem[] {
  const items = new Map<ByteString, LayerItem>()
  for (const change of changes)
    for (const item of itemsOf(change, namesOf)) items.set(item.path, item)
  return [...items.values()].sort((a, b) => compareBytes(a.path, b.path))
}

function itemsOf({ path, exists }: Change, namesOf: NamesOf): LayerItem[] {
  if (!exists) return [{ kind: 'whiteout', path: representable(path) }]
  const names = namesOf(path)
  const all = names.length > 1 ? names : [path]
  return all.map((name): LayerItem => ({ kind: 'object', path: representable(name) }))
}

/** @throws ENTRY_INVALID */
export function representable(path: ByteString): ByteString {
  if (!path.includes(WHITEOUT_PREFIX)) return path
  if (!path.split('/').some((name) => name.startsWith(WHITEOUT_PREFIX))) return path
  throw new OciUnpackError('ENTRY_INVALID', 'A layer cannot hold a name that begins with ".wh.".', {
    facts: { entry: display(path) },
    hint: 'Such names mark deletions in layers. Rename or remove the file, or mask its path.'
  })
}

/** The name of the entry that deletes `path`. */
export function whiteoutName(path: ByteString): ByteString {
  return joinPath(parentPath(path), WHITEOUT_PREFIX + baseName(path))
}
