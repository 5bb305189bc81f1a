/** Bodies of files that were found, as files of a private directory: the layers that have them are read once more. */
import type { StagedEntry } from '../../plan/staged-entry.ts'
import type { Inode } from '../../plan/tree.ts'
import type { ImageJob } from '../extract/job.ts'
import { withLayerReader } from './layer-reader.ts'

/** An inode of an indexed tree has its entry. */
export function entryOf(inode: Inode): StagedEntry {
  return inode.entry!
}

/**
 * Good when it has returned: the layers are verified again, since what is in a blob may have changed meanwhile.
 * @param directory descriptor of a private directory. @param names the new name of each body
 */
export async function spoolBodies(
  job: ImageJob,
  directory: number,
  names: ReadonlyMap<Inode, string>
): Promise<void> {
  const layers = new Map<number, Map<number, string>>()
  for (const [inode, name] of names) {
    if (inode.type !== 'file') continue
    const wanted = layers.get(inode.layer) ?? new Map<number, string>()
    layers.set(inode.layer, wanted.set(entryOf(inode).body!, name))
  }
  if (layers.size === 0) return
  await withLayerReader(job, (reader) =>
    Promise.all([...layers].map(([layer, wanted]) => reader.bodies(layer, directory, wanted)))
  )
}
