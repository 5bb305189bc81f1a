/** Keeps the source of an image open while an operation reads it. */
import type { ImageSource } from '../../store/image-source.ts'
import type { LayoutOptions } from '../../store/layout.ts'
import type { ImageName } from '../../transports/list.ts'
import { tagInIndex, whileOpen } from '../../transports/open-images.ts'
import { pause } from '../operation/abort.ts'

/**
 * Runs `act` with the place that a name leads to and the tag to look for in its index. No blob of it is collected
 * meanwhile. @throws ABORTED, and what opening throws
 */
export async function withSource<T>(
  name: ImageName,
  options: LayoutOptions & { signal: AbortSignal | undefined },
  act: (source: ImageSource, tag: string | undefined) => Promise<T>
): Promise<T> {
  const wait = (): Promise<void> => pause(options.signal)
  return whileOpen(name, options, wait, (source) => act(source, tagInIndex(name)))
}
