/** Writes one file of an image to where it is needed: a new file, a block device or a stream. */
import { display, toBuffer } from '../bytes.ts'
import { packedWith, type PackedFormat } from '../codec/content.ts'
import { describeDisk, type DiskFormat } from '../disk/describe-disk.ts'
import { kubevirtLabels } from '../disk/kubevirt-labels.ts'
import { OciUnpackError } from '../errors.ts'
import { target } from '../image/choice.ts'
import { baseName } from '../plan/names.ts'
import { isErrno } from '../sys/failure.ts'
import type { ImageJob } from './extract/job.ts'
import { normalizeImage, type ImageOptions } from './extract/unpack-options.ts'
import { openOutput, type ExportOutput } from './files/export-output.ts'
import { exportFound, type ExportedFile, type ExportWay } from './files/export-pass.ts'
import { searchForPath, type FileSearch } from './files/file-search.ts'
import { DISK_SEARCH } from './files/find-disk.ts'
import { withInflating, type Inflated } from './files/inflated-output.ts'
import { asked } from './operation/asked.ts'
import { leftoverTo } from './operation/leftover.ts'
import { requireOptions } from './operation/required-options.ts'
import { withImage } from './transfer/with-image.ts'

export interface ExportFileOptions extends ImageOptions {
  /** Path in the image; links are followed inside the image only. Either this or `disk` must be given. */
  path?: string | Uint8Array
  /** The only regular file in the directory `/disk`, where images for KubeVirt have their disk. */
  disk?: boolean
  /**
   * Where the file goes: a path at which nothing exists, a block device, a FIFO, or the descriptor of a stream, which stays open.
   * Undefined: the file is only described.
   */
  output?: string | number
  /** Read no further than the file. The digest of its layer remains unverified. */
  stopEarly?: boolean
  /** Inflate a file that is compressed with gzip, zstd, xz or bzip2. Needs a thread, so `jobs: 0` means 1. */
  inflate?: boolean
}

export interface ExportFileResult {
  /** Digest of the image manifest. */
  manifestDigest: string
  /** Absolute path of the file in the image, without links. */
  path: Uint8Array
  /** Which layer has it, counted from 0, and its digest. */
  layer: number
  layerDigest: string
  /** Bytes of the file as it is in the image. */
  size: number
  /** Bytes that were written, or would be. */
  outputSize: number
  /** Whether the layer was verified. If not, nothing may be trusted. */
  verified: boolean
  /** How the file is compressed, if it is. */
  compression?: PackedFormat
  /** What is in it, after inflating if that was asked for; undefined if it is compressed and was not inflated. */
  disk?: FileDisk
  /** Labels that the environment in the image's config stands for in KubeVirt. */
  labels: Readonly<Record<string, string>>
}

export interface FileDisk {
  /** `raw` if nothing says that it is another. */
  format: DiskFormat
  /** Bytes that a virtual machine sees. Undefined if the format does not say it at its beginning or end, or says 2^53 or more. */
  virtualSize?: number
}

/**
 * Exports a regular file of the merged tree in one pass, with bounded memory and nothing on a disk but the output. Layers are
 * read from the top down, no more than necessary. Runs of zeros become holes. A new file gets its name when its layer was
 * verified; what goes to a device or a stream was written before that, so after an error it must not be used.
 * @throws OciUnpackError with a stable `code`
 */
export async function exportFile(options: ExportFileOptions): Promise<ExportFileResult> {
  requireOptions(options, { image: 'text' })
  const search = searchOf(options)
  const settings = normalizeImage(options)
  if (options.inflate === true) settings.jobs = Math.max(1, settings.jobs)
  return asked({ image: options.image }, () =>
    withImage(options.image, settings, async (job) => {
      const output = await outputOf(options, search, job)
      const guess = { isWritten: false }
      const onGuess = (): void => void (guess.isWritten = true)
      try {
        const result = await run(job, search, { output, onGuess }, options)
        output?.publish()
        return result
      } catch (error) {
        const isWritten = guess.isWritten || mayBeWritten(error, options)
        if (output?.isOpenToAll === true && isWritten) warnOfWritten(job)
        throw error
      } finally {
        output?.discard()
      }
    })
  )
}

/** @throws USAGE */
function searchOf({ path, disk }: ExportFileOptions): FileSearch {
  if ((path === undefined) === (disk !== true))
    throw new OciUnpackError('USAGE', 'Either a path or the disk must be asked for.', {
      hint: 'Give a path in the image, or {disk}.'
    })
  return path === undefined ? DISK_SEARCH : searchForPath(path)
}

async function outputOf(
  { output }: ExportFileOptions,
  { guess }: FileSearch,
  { settings }: ImageJob
): Promise<ExportOutput | undefined> {
  if (output === undefined) return undefined
  const { onEvent, signal } = settings
  const nameInImage =
    guess !== undefined && 'path' in guess ? display(baseName(guess.path)) : undefined
  return openOutput(output, { nameInImage, onLeftover: leftoverTo(onEvent), signal })
}

/**
 * What is wrong with a path, or with the room on a device for a file whose length is known, is found before anything is written,
 * unless the file was guessed. A reader that has gone is told by the error.
 */
function mayBeWritten(error: unknown, { inflate }: ExportFileOptions): boolean {
  if (isErrno(error, 'EPIPE')) return false
  const isEarly = ({ code }: OciUnpackError): boolean =>
    code.startsWith('PATH_') || (code === 'TARGET_TOO_SMALL' && inflate !== true)
  return !(error instanceof OciUnpackError && isEarly(error))
}

function warnOfWritten({ settings }: ImageJob): void {
  settings.onEvent({
    type: 'warning',
    message:
      'What was written before the failure must not be used: it is incomplete, or not what the image says.',
    facts: {}
  })
}

async function run(
  job: ImageJob,
  search: FileSearch,
  { output, onGuess }: { output: ExportOutput | undefined; onGuess: () => void },
  options: ExportFileOptions
): Promise<ExportFileResult> {
  const way: ExportWay = {
    output: output?.description,
    stopEarly: options.stopEarly === true,
    onGuess,
    reset: () => output?.reset() ?? true
  }
  if (options.inflate !== true) return resultOf(job, await exportFound(job, search, way), undefined)
  const limit = job.settings.limits.unpackedBytes
  const { result, inflated } = await withInflating(
    way.output,
    { signal: job.settings.signal, limit },
    (stream) => exportFound(job, search, { ...way, output: stream, reset: () => false })
  )
  return resultOf(job, result, inflated)
}

function resultOf(
  job: ImageJob,
  { path, inode, exported }: ExportedFile,
  inflated: Inflated | undefined
): ExportFileResult {
  const { manifest, config } = job.image
  const { size, isVerified } = exported
  if (!isVerified) warnOfUnverified(job)
  return {
    manifestDigest: target(job.image.descriptorPath).digest,
    path: toBuffer(`/${path}`),
    layer: inode.layer,
    layerDigest: manifest.layers[inode.layer]!.digest,
    size,
    outputSize: inflated?.size ?? size,
    verified: isVerified,
    ...contentOf(exported, inflated),
    labels: kubevirtLabels(environmentOf(config))
  }
}

function warnOfUnverified({ settings }: ImageJob): void {
  settings.onEvent({
    type: 'warning',
    message: 'The digest of the layer was not verified, because it was not read to its end.',
    facts: {}
  })
}

function contentOf(
  { head, tail, size }: ExportedFile['exported'],
  inflated: Inflated | undefined
): Pick<ExportFileResult, 'compression' | 'disk'> {
  const compression = inflated?.compression ?? packedWith(Buffer.from(head))
  if (inflated === undefined && compression !== undefined) return { compression }
  const content = inflated ?? { head: Buffer.from(head), tail: Buffer.from(tail), size }
  const { format, virtualSize } = describeDisk(content.head, content.tail, content.size)
  return {
    ...(compression === undefined ? {} : { compression }),
    disk: { format, ...(virtualSize === undefined ? {} : { virtualSize }) }
  }
}

/** Configs are read liberally. */
function environmentOf(config: object): string[] {
  const { config: defaults } = config as { config?: { Env?: unknown } | null }
  const env: unknown = defaults?.Env
  return Array.isArray(env) ? env.filter((it) => typeof it === 'string') : []
}
