/** Blobs that no tag leads to any more are removed, beside whatever else goes on in the layout. */
import { findGarbage, tryCollectGarbage, type Garbage } from '../store/garbage.ts'
import { openLayout, type Layout } from '../store/layout.ts'
import { parseLayoutPath } from '../transports/image-name.ts'
import { throwIfAborted } from './operation/abort.ts'
import { asked } from './operation/asked.ts'
import { requireOptions } from './operation/required-options.ts'

export type { Garbage }

export interface GarbageOptions {
  /** Directory of an OCI layout. */
  layout: string
  /** Only say what would be removed; does not wait. */
  dryRun?: boolean
  /** Stops the waiting. */
  signal?: AbortSignal
  /** Called once where others use the layout and their end is waited for. */
  onWait?: () => void
}

/**
 * Removes the blobs that nothing in `index.json` leads to, and workspaces that died with their owner. Waits while
 * an unpack, a repack or an umoci that writes is at work in the layout: what they rely on is never removed. Files
 * that are no blobs and blobs of unknown algorithms stay. Gives what was removed.
 * @throws OciUnpackError with a stable `code`; nothing is removed where a document cannot be read
 */
export async function collectGarbage(options: GarbageOptions): Promise<Garbage> {
  requireOptions(options, { layout: 'text' })
  return asked({ image: options.layout }, () => {
    const layout = openLayout(parseLayoutPath(options.layout))
    return options.dryRun === true ? findGarbage(layout) : collect(layout, options)
  })
}

const POLL_MS = 50

async function collect(layout: Layout, { signal, onWait }: GarbageOptions): Promise<Garbage> {
  throwIfAborted(signal)
  let garbage = tryCollectGarbage(layout)
  if (garbage === undefined) onWait?.()
  while (garbage === undefined) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    throwIfAborted(signal)
    garbage = tryCollectGarbage(layout)
  }
  return garbage
}
