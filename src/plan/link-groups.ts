/** Names that share one file, regrouped. */
import type { ByteString } from '../bytes.ts'

/** A name of a file with several names; equal keys mean the same file. */
export interface LinkedName {
  path: ByteString
  before: string
  after: string
}

/** The names that share their file with other names than before. */
export function regroupedLinks(names: readonly LinkedName[]): ByteString[] {
  const before = companions(names, ({ before }) => before)
  const after = companions(names, ({ after }) => after)
  return names.map(({ path }) => path).filter((path) => before.get(path) !== after.get(path))
}

/** For each path, all paths of its file as one text. */
function companions(
  names: readonly LinkedName[],
  key: (name: LinkedName) => string
): Map<ByteString, string> {
  const groups = new Map<string, LinkedName[]>()
  for (const name of names) {
    const group = groups.get(key(name))
    if (group === undefined) groups.set(key(name), [name])
    else group.push(name)
  }
  const texts = new Map<ByteString, string>()
  for (const group of groups.values()) {
    const text = group
      .map(({ path }) => path)
      .sort()
      .join('\0')
    for (const { path } of group) texts.set(path, text)
  }
  return texts
}
