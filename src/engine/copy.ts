/** Copies an image from one place to another, between all transports. Blobs stay unchanged wherever they can. */
import type { RegistrySettings } from '../registry/registry.ts'
import { prepared } from '../store/image-source.ts'
import { assertLayers, resolveImage } from '../store/resolve.ts'
import { parseDestination } from '../transports/image-name.ts'
import type { WriterHelp } from '../transports/transport.ts'
import { normalizeImage, type ImageSettings, type UnpackLimits } from './extract/unpack-options.ts'
import { throwIfAborted } from './operation/abort.ts'
import { asked } from './operation/asked.ts'
import type { OnEvent } from './operation/events.ts'
import { leftoverTo } from './operation/leftover.ts'
import { requireOptions } from './operation/required-options.ts'
import { warningTo } from './operation/warnings.ts'
import { checkBlobs } from './transfer/check-blobs.ts'
import { transferHelp } from './transfer/transfer-help.ts'
import { withSource } from './transfer/with-source.ts'

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
  /** Whether what refers to the image comes along: signatures, SBOMs, attestations; default no. */
  referrers?: boolean
  /** How many layers are verified at once, if that must be done before writing; default the number of processors. */
  jobs?: number
  /** As for `unpack`; for destinations whose layers are not compressed. */
  decompressor?: string
  /** As for `unpack`. `jsonBytes` matters to every copy, and all others only to one into a root file system (`tar:`). */
  limits?: UnpackLimits
  /** How the registry of the source is reached, and with which credentials; default as podman, skopeo and docker do. */
  sourceRegistry?: RegistrySettings
  /** The same for the destination. */
  destinationRegistry?: RegistrySettings
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
  const settings = normalizeImage({ ...options, image: options.source })
  const { reference, layoutOptions, platform, signal, onEvent } = settings
  const write = parseDestination(options.destination, warningTo(onEvent))
  return asked({ image: options.source }, () => {
    throwIfAborted(signal)
    const registry = options.sourceRegistry
    const referrers = options.referrers === true
    const help = writerHelp(settings, options.destinationRegistry)
    const opening = { ...layoutOptions, registry, signal, onEvent }
    return withSource(reference, opening, async (source, tag) => ({
      digest: await write({ source, tag, platform, referrers }, help)
    }))
  })
}

function writerHelp(settings: ImageSettings, registry: RegistrySettings | undefined): WriterHelp {
  const { decompressor, jobs, onEvent } = settings
  return {
    ...transferHelp({ ...settings, registry }),
    check: (source, blobs) => checkBlobs(source, blobs, settings),
    async writeTree({ source, tag, platform }, write) {
      const image = await prepared(source, () => resolveImage(source, tag, platform))
      assertLayers(image)
      const { writeTree } = await import('./files/write-tree.ts')
      await writeTree({ source, image, settings }, write)
    },
    processors: Math.max(1, jobs),
    decompressor,
    onLeftover: leftoverTo(onEvent)
  }
}
