/** Checks whether a directory of EROFS images is what `makeErofs` made. Nothing is written. */
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import { OciUnpackError, withFacts, type ErrorCode, type Facts } from '../errors.ts'
import { close } from '../sys/files.ts'
import { checksOf, type Check } from './erofs/image-checks.ts'
import type { ErofsFile } from './erofs/image-set.ts'
import { openImageSet, withWholePath } from './erofs/read-image-set.ts'
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

/**
 * `damaged`: missing, or not what it was. `unreadable`: nothing is known about it, because it, or a file that it needs,
 * could not be opened or read.
 */
export type ErofsFileStatus = 'ok' | 'damaged' | 'unreadable'

export interface ErofsFileReport extends ErofsFile {
  status: ErofsFileStatus
  /** What is wrong, unless the status is `ok`. */
  error?: { code: ErrorCode; message: string; facts: Facts; hint?: string }
}

export interface VerifyErofsResult {
  /** Whether all files are. */
  ok: boolean
  /** Layers first, bottom first, each once; then the image that joins them, and what there is for virtual machines. */
  files: readonly ErofsFileReport[]
}

/**
 * Reads every byte of the images: sizes, digests, UUIDs, the table of devices, and everything in them except the bodies of
 * files, which the digests cover. Faults of images, and failed calls, are in the result; it throws if there is no sound `erofs.json`.
 * @throws EROFS_INVALID, SYSCALL_FAILED, ABORTED
 */
export async function verifyErofs(options: VerifyErofsOptions): Promise<VerifyErofsResult> {
  requireOptions(options, { directory: 'text' })
  const jobs = count('jobs', options.jobs ?? availableParallelism())
  const path = resolve(options.directory)
  return asked({ path }, async () => {
    const { directory, set } = openImageSet(path)
    try {
      const checks = checksOf(directory, set)
      const files = await runChecks(checks, path, { jobs, signal: options.signal })
      return { ok: files.every(({ status }) => status === 'ok'), files }
    } finally {
      close(directory)
    }
  })
}

async function runChecks(
  checks: readonly Check[],
  directory: string,
  options: ThreadOptions
): Promise<ErofsFileReport[]> {
  const threads = Math.min(options.jobs, checks.length)
  const outcomes = await withThreads(threads, options, async (pool, control) => {
    const first = await Promise.allSettled(checks.map(({ run }) => run(pool, control)))
    const failed = checks.filter((_, i) => first[i]!.status === 'rejected')
    const isInnocent = (check: Check): boolean =>
      failed.includes(check) && failed.some(({ file }) => check.needs.includes(file.name))
    return Promise.all(
      checks.map(async (check, i) => {
        if (!isInnocent(check)) return first[i]!
        const [second] = await Promise.allSettled([check.alone(pool, control)])
        return second
      })
    )
  })
  return checks.map(({ file }, i) => report(file, directory, outcomes[i]!))
}

function report(
  { name, digest, size }: ErofsFile,
  directory: string,
  outcome: PromiseSettledResult<void>
): ErofsFileReport {
  const file = { name, digest, size }
  if (outcome.status === 'fulfilled') return { ...file, status: 'ok' }
  const error: unknown = withFacts(withWholePath(outcome.reason, directory), { file: name })
  if (!(error instanceof OciUnpackError) || error.code === 'ABORTED') throw error
  const { code, message, facts, hint } = error
  const told = { code, message, facts, ...(hint === undefined ? {} : { hint }) }
  const isMissing = error.errno === 'ENOENT' && facts.path === join(directory, name)
  const status = code === 'SYSCALL_FAILED' && !isMissing ? 'unreadable' : 'damaged'
  return { ...file, status, error: told }
}
