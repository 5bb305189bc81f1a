/** Removes blobs that no tag leads to any more, even while the layout is in use. */
import { findGarbage, tryCollectGarbage, type Garbage } from '../store/garbage.ts'
import type { Layout } from '../store/layout.ts'
import { parseLayoutPath } from '../transports/image-name.ts'
import { openLayoutAt } from '../transports/open-layout.ts'
import { throwIfAborted } from './operation/abort.ts'
import { asked } from './operation/asked.ts'
import type { OnEvent } from './operation/events.ts'
import { warningTo } from './operation/warnings.ts'
import { requireOptions } from './operation/required-options.ts'

export type { Garbage }

export interface GarbageOptions {
  /** Directory of an OCI layout. */
  layout: string
  /** Only report what would be removed; this does not wait. */
  dryRun?: boolean
  /** Stops the waiting. */
  signal?: AbortSignal
  /** Called once if other processes use the layout and must be waited for. */
  onWait?: () => void
  /** Gets warnings about documents. */
  onEvent?: OnEvent
}

/**
 * Removes the blobs that nothing in `index.json` leads to, and workspaces of dead processes. Waits while an unpack, a
 * repack or a writing umoci works in the layout: what they rely on is never removed. Files that are not blobs and blobs
 * of unknown algorithms are kept. Returns what was removed.
 * @throws OciUnpackError with a stable `code`; nothing is removed if a document cannot be read
 */
export async function collectGarbage(options: GarbageOptions): Promise<Garbage> {
  requireOptions(options, { layout: 'text' })
  return asked({ image: options.layout }, async () => {
    const onWarning = warningTo(options.onEvent)
    const layout = await openLayoutAt(parseLayoutPath(options.layout), { onWarning })
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
