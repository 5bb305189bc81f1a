/** An image from one place to another, between all transports; blobs stay as they are. */
import { parsePlatform } from '../image/platform.ts'
import { parseDestination, parseImageName } from '../transports/image-name.ts'
import type { WriterHelp } from '../transports/transport.ts'
import { heedSignals, pause, throwIfAborted } from './operation/abort.ts'
import { asked } from './operation/asked.ts'
import type { OnEvent } from './operation/events.ts'
import { leftoverTo } from './operation/leftover.ts'
import { requireOptions } from './operation/required-options.ts'
import { checkBlobs } from './transfer/check-blobs.ts'
import { withSource } from './transfer/with-source.ts'
import { checkSettings } from './verify.ts'

export interface CopyOptions {
  /** `[TRANSPORT:]PATH[:TAG]`. */
  source: string
  /**
   * `[TRANSPORT:]PATH[:TAG]`. What exists there is added to or refused, and what a name without a tag means is decided, by
   * its transport (docs/transports.md).
   */
  destination: string
  /** `os/arch[/variant]`: copy only the image for this platform. Default all that the tag leads to. */
  platform?: string
  /** Layers that are verified at once, where that has to be done before writing; default the number of processors. */
  jobs?: number
  /** As for `unpack`; for destinations whose layers are not compressed. */
  decompressor?: string
  /** Stops the operation: it rejects with ABORTED and leaves nothing half-made behind. */
  signal?: AbortSignal
  onEvent?: OnEvent
}

export interface CopyResult {
  /** Digest of what the tag of the destination stands for; undefined where it has no such thing. */
  digest: string | undefined
}

/**
 * Copies an image: every blob is verified (size, digest) as it passes, and nothing of it can be seen at the destination
 * before everything is there. Blobs that a layout has already are not copied again; where the file system can, they are
 * cloned. A multi-arch index is copied whole.
 * @throws OciUnpackError with a stable `code`
 */
export async function copy(options: CopyOptions): Promise<CopyResult> {
  requireOptions(options, { source: 'text', destination: 'text' })
  const from = parseImageName(options.source)
  const write = parseDestination(options.destination)
  const platform = options.platform === undefined ? undefined : parsePlatform(options.platform)
  const help = writerHelp(options)
  return asked({ image: options.source }, () => {
    throwIfAborted(options.signal)
    return withSource(from, { signal: options.signal }, async (source, tag) => ({
      digest: await write({ source, tag, platform }, help)
    }))
  })
}

function writerHelp(options: CopyOptions): WriterHelp {
  const settings = checkSettings(options)
  const { decompressor, signal } = settings
  const onEvent = options.onEvent ?? (() => undefined)
  return {
    breathe: () => heedSignals(signal),
    wait: () => pause(signal),
    check: (source, blobs) => checkBlobs(source, blobs, settings),
    decompressor,
    onEvent,
    onLeftover: leftoverTo(onEvent)
  }
}
