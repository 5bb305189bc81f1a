/** Copies an image from one place to another, between all transports; blobs stay unchanged. */
import { parsePlatform } from '../image/platform.ts'
import { parseDestination, parseImageName } from '../transports/image-name.ts'
import type { WriterHelp } from '../transports/transport.ts'
import { normalizeLimits, type UnpackLimits } from './extract/unpack-options.ts'
import { heedSignals, pause, throwIfAborted } from './operation/abort.ts'
import { asked } from './operation/asked.ts'
import type { OnEvent } from './operation/events.ts'
import { leftoverTo } from './operation/leftover.ts'
import { requireOptions } from './operation/required-options.ts'
import { warningTo } from './operation/warnings.ts'
import { checkBlobs } from './transfer/check-blobs.ts'
import { withSource } from './transfer/with-source.ts'
import { checkSettings } from './verify.ts'

export interface CopyOptions {
  /** `[TRANSPORT:]PATH[:TAG]` or `…PATH@DIGEST`. */
  source: string
  /**
   * `[TRANSPORT:]PATH[:TAG]`. The transport decides whether an existing destination is added to or refused, and what a
   * name without a tag means (docs/transports.md).
   */
  destination: string
  /** `os/arch[/variant]`: copy only the image for this platform. Default everything that the tag leads to. */
  platform?: string
  /** How many layers are verified at once, if that must be done before writing; default the number of processors. */
  jobs?: number
  /** As for `unpack`; for destinations whose layers are not compressed. */
  decompressor?: string
  /** As for `unpack`; no other limit matters to a copy. */
  limits?: Pick<UnpackLimits, 'jsonBytes'>
  /** Stops the operation: it rejects with ABORTED and leaves nothing half-made behind. */
  signal?: AbortSignal
  onEvent?: OnEvent
}

export interface CopyResult {
  /** Digest of what the tag of the destination stands for; undefined if the transport has no such digest. */
  digest: string | undefined
}

/**
 * Copies an image: every blob is verified (size, digest) on the way, and nothing is visible at the destination until
 * everything is there. Blobs that a layout already has are not copied again; if the file system can clone files, blobs
 * are cloned. A multi-arch index is copied as a whole.
 * @throws OciUnpackError with a stable `code`
 */
export async function copy(options: CopyOptions): Promise<CopyResult> {
  requireOptions(options, { source: 'text', destination: 'text' })
  const { signal, onEvent } = options
  const from = parseImageName(options.source, warningTo(onEvent))
  const write = parseDestination(options.destination, warningTo(onEvent))
  const platform = options.platform === undefined ? undefined : parsePlatform(options.platform)
  const help = writerHelp(options)
  return asked({ image: options.source }, () => {
    throwIfAborted(signal)
    const { layoutOptions } = normalizeLimits(options.limits)
    return withSource(from, { ...layoutOptions, signal, onEvent }, async (source, tag) => ({
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
