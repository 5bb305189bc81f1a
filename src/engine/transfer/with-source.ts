/** Keeps the source of an image open while an operation reads it. */
import type { ImageSource } from '../../store/image-source.ts'
import type { ImageName } from '../../transports/list.ts'
import { tagInIndex, whileOpen } from '../../transports/open-images.ts'
import type { OpenOptions } from '../../transports/transport.ts'
import { pause } from '../operation/abort.ts'
import type { OnEvent } from '../operation/events.ts'
import { choiceTo, warningTo } from '../operation/warnings.ts'

interface SourceOptions extends Pick<OpenOptions, 'maxDocumentSize' | 'registry'> {
  signal: AbortSignal | undefined
  /** Gets warnings about the place and its documents. */
  onEvent?: OnEvent | undefined
}

/**
 * Runs `act` with the place that a name leads to and the tag to look for in its index. No blob of it is collected
 * meanwhile. @throws ABORTED, and what opening throws
 */
export async function withSource<T>(
  name: ImageName,
  { signal, onEvent, ...options }: SourceOptions,
  act: (source: ImageSource, tag: string | undefined) => Promise<T>
): Promise<T> {
  const wait = (): Promise<void> => pause(signal)
  const opening = {
    ...options,
    signal,
    onWarning: warningTo(onEvent),
    onChoice: choiceTo(onEvent),
    onRetry: onEvent
  }
  return whileOpen(name, opening, wait, (source) => act(source, tagInIndex(name)))
}
