/** The size of a blob for which no descriptor gives one. */
import { statSync } from 'node:fs'
import type { BlobPlace } from './image-source.ts'

/** Bytes; undefined if there is nothing, 0 if there is something that is not a readable file. */
export function storedSize({ path, section, data }: BlobPlace): number | undefined {
  if (data !== undefined) return data.length
  if (section !== undefined) return section.length
  try {
    const found = statSync(path ?? '', { throwIfNoEntry: false })
    return found?.isFile() === false ? 0 : found?.size
  } catch {
    return 0
  }
}
