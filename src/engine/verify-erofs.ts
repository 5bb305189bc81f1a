/** Checks whether a directory of EROFS images is what `makeErofs` made. Nothing is written. */
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { fromText } from '../bytes.ts'
import { OciUnpackError, withFacts, type ErrorCode, type Facts } from '../errors.ts'
import { digestHex, digestOf } from '../image/digest.ts'
import { hashFile } from '../rootfs/hash-file.ts'
import { close, openOperatorDirectory } from '../sys/files.ts'
import { status } from '../sys/status.ts'
import {
  compareDigest,
  compareImage,
  compareSize,
  expectedImages,
  type ExpectedImage
} from './erofs/compare-images.ts'
import type { ImageFile, ImageSet } from './erofs/image-set.ts'
import { readImageSet } from './erofs/read-image-set.ts'
import { diskDescriptor } from './erofs/vm-disk.ts'
import { count } from './extract/unpack-options.ts'
import { asked } from './operation/asked.ts'
import { requireOptions } from './operation/required-options.ts'
import { withThreads, type ThreadOptions } from './operation/threads.ts'

export interface VerifyErofsOptions {
  /** A directory that `makeErofs` made. */
  directory: string
  /** How many images are read at once; default the number of processors. 0 starts no threads. */
  jobs?: number
  signal?: AbortSignal
}

export interface ErofsFileReport extends ImageFile {
  status: 'ok' | 'damaged'
  /** What is wrong, unless the status is `ok`. */
  error?: { code: ErrorCode; message: string; facts: Facts; hint?: string }
}

export interface VerifyErofsResult {
  /** Whether nothing is damaged. */
  ok: boolean
  /** Layers first, bottom first, each once; then the image that joins them, and what there is for virtual machines. */
  files: readonly ErofsFileReport[]
}

/**
 * Reads every byte of the images: sizes, digests, UUIDs, the table of devices, and everything in them except the bodies of
 * files, which the digests cover. Faults of images are in the result; it throws if there is no sound `erofs.json`.
 * @throws EROFS_INVALID, SYSCALL_FAILED, ABORTED
 */
export async function verifyErofs(options: VerifyErofsOptions): Promise<VerifyErofsResult> {
  requireOptions(options, { directory: 'text' })
  const jobs = count('jobs', options.jobs ?? availableParallelism())
  const path = resolve(options.directory)
  return asked({ path }, async () => {
    const directory = openOperatorDirectory(fromText(path))
    try {
      const set = readImageSet(directory)
      const images = expectedImages(set)
      const files = await checkAll(directory, images, { jobs, signal: options.signal })
      files.push(...checkForMachines(directory, set))
      return { ok: files.every(({ status }) => status === 'ok'), files }
    } finally {
      close(directory)
    }
  })
}

async function checkAll(
  directory: number,
  images: readonly ExpectedImage[],
  options: ThreadOptions
): Promise<ErofsFileReport[]> {
  const threads = Math.min(options.jobs, images.length)
  return withThreads(threads, options, async (pool, control) => {
    const checks = images.map(async (image) => {
      const { name, devices } = image
      const task = { directory, name, devices: devices.map((device) => device.name) }
      const found = await pool.run({ type: 'check-erofs', ...task }, control)
      compareImage(image, found)
      compareDigest(image, found.sha256)
    })
    const outcomes = await Promise.allSettled(checks)
    return images.map((image, i) => report(image, outcomes[i]!))
  })
}

/** The image for old guests refers to what follows it on a disk, so it cannot be read alone. */
function checkForMachines(directory: number, set: ImageSet): ErofsFileReport[] {
  const { linear, disk } = set
  const checks: [ImageFile, () => void][] = []
  if (linear !== undefined) checks.push([linear, () => compareFile(directory, linear)])
  if (disk !== undefined)
    checks.push([
      disk,
      () => {
        compareFile(directory, disk)
        compareDigest(disk, digestHex(digestOf(diskDescriptor(set))))
      }
    ])
  return checks.map(([file, check]) => report(file, outcomeOf(check)))
}

function compareFile(directory: number, file: ImageFile): void {
  compareSize(file, status(directory, file.name).size)
  compareDigest(
    file,
    hashFile(directory, file.name, () => undefined)
  )
}

function outcomeOf(check: () => void): PromiseSettledResult<void> {
  try {
    check()
    return { status: 'fulfilled', value: undefined }
  } catch (reason) {
    return { status: 'rejected', reason }
  }
}

function report(
  { name, digest, size }: ImageFile,
  outcome: PromiseSettledResult<void>
): ErofsFileReport {
  const file = { name, digest, size }
  if (outcome.status === 'fulfilled') return { ...file, status: 'ok' }
  const error: unknown = withFacts(outcome.reason, { file: name })
  if (!(error instanceof OciUnpackError) || error.code === 'ABORTED') throw error
  const { code, message, facts, hint } = error
  const told = { code, message, facts, ...(hint === undefined ? {} : { hint }) }
  return { ...file, status: 'damaged', error: told }
}
