/** Writes the bodies of files that were found to a private directory; the layers that contain them are read again. */
import type { StagedEntry } from '../../plan/staged-entry.ts'
import type { Inode } from '../../plan/tree.ts'
import type { ImageJob } from '../extract/job.ts'
import { withLayerReader } from './layer-reader.ts'

/** The entry of an inode, which every inode of an indexed tree has. */
export function entryOf(inode: Inode): StagedEntry {
  return inode.entry!
}

/**
 * The files can be trusted once this returns: the layers are verified again, because a blob may have changed meanwhile.
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
  await withLayerReader(withoutProgress(job), (reader) =>
    Promise.all([...layers].map(([layer, wanted]) => reader.bodies(layer, directory, wanted)))
  )
}

/** The counts of the layers have been reported when they were read first, and never decrease. */
export function withoutProgress(job: ImageJob): ImageJob {
  const { onEvent } = job.settings
  const onOther: typeof onEvent = (event) => {
    if (event.type !== 'progress') onEvent(event)
  }
  return { ...job, settings: { ...job.settings, onEvent: onOther } }
}
