/** Hard links that were regrouped without any file changing. */
import type { Memory } from '../../bundle/bundle.ts'
import type { Delta, Modified } from '../../mtree/compare.ts'
import { regroupedLinks } from '../../plan/link-groups.ts'
import { modified } from './examine.ts'
import type { Sifted } from './sift.ts'

/**
 * Names that are links to other files than before, though each file is as it was and has as many names.
 * @param found what is known to have changed already, and is not told again
 */
export function relinked(
  { linked, match }: Sifted,
  memory: Memory,
  found: readonly Delta[]
): Modified[] {
  const known = linked.flatMap((object) => {
    const index = match.indexOf(object)
    const before = index === undefined ? undefined : memory.record(index)?.inode
    return before === undefined ? [] : { object, index: index!, before: String(before) }
  })
  const changed = new Set(
    regroupedLinks(
      known.map(({ object: { path, status }, before }) => {
        return { path, before, after: String(status.inode) }
      })
    )
  )
  if (changed.size === 0) return []
  for (const { path } of found) changed.delete(path)
  return known
    .filter(({ object }) => changed.has(object.path))
    .map(({ object, index }) =>
      modified(memory.entries.entry(index), object, 'hard links', 'others', 'these')
    )
}
