/** Files with several names: which names belong together now, and which did before. */
import type { ByteString } from '../bytes.ts'
import type { Delta } from '../mtree/compare.ts'
import type { SeenObject } from './seen-tree.ts'

/** The names of each file, in the order of the input. @param fileOf equal for names of one file, and for no others */
export function namesByFile<Name extends { path: ByteString }>(
  names: Iterable<Name>,
  fileOf: (name: Name) => string
): Map<string, ByteString[]> {
  const groups = new Map<string, ByteString[]>()
  for (const name of names) {
    const file = fileOf(name)
    const group = groups.get(file)
    if (group === undefined) groups.set(file, [name.path])
    else group.push(name.path)
  }
  return groups
}

/** Whether all names of each changed file are known: there are as many as its link count says. */
export function hasAllNames<Seen extends SeenObject>(
  linked: readonly Seen[],
  deltas: readonly Delta[],
  fileOf: (object: Seen) => string
): boolean {
  const changed = new Set(deltas.map(({ path }) => path))
  const names = namesByFile(linked, fileOf)
  return linked.every((object) => {
    if (!changed.has(object.path)) return true
    return names.get(fileOf(object))!.length === object.status.nlink
  })
}

/** A name of a file with several names; equal keys mean the same file. */
export interface LinkedName {
  path: ByteString
  before: string
  after: string
}

/** The names that are now linked with other names than before. */
export function regroupedLinks(names: readonly LinkedName[]): ByteString[] {
  const before = companions(names, ({ before }) => before)
  const after = companions(names, ({ after }) => after)
  return names.map(({ path }) => path).filter((path) => before.get(path) !== after.get(path))
}

/** For each path, all paths of its file joined as one string. */
function companions(
  names: readonly LinkedName[],
  fileOf: (name: LinkedName) => string
): Map<ByteString, string> {
  const texts = new Map<ByteString, string>()
  for (const paths of namesByFile(names, fileOf).values()) {
    const text = paths.toSorted().join('\0')
    for (const path of paths) texts.set(path, text)
  }
  return texts
}
