/** The digests of images in a directory, taken by threads. */
import { withThreads, type ThreadOptions } from '../operation/threads.ts'

/** An image that was made, and its length. */
export interface MadeFile {
  name: string
  /** In blocks of 4096 bytes. */
  blocks: number
}

/**
 * SHA-256 (hex) of each file, by its name. A thread hashes two files at a time.
 * @param directory that they are in
 * @throws FILE_CHANGED, SYSCALL_FAILED, ABORTED
 */
export async function imageDigests(
  directory: number,
  files: readonly MadeFile[],
  options: ThreadOptions
): Promise<ReadonlyMap<string, string>> {
  const shares = shared(files, Math.max(1, options.jobs))
  const threads = Math.min(options.jobs, shares.length)
  return withThreads(threads, options, async (pool, control) => {
    const hashed = shares.map(async (paths) => {
      const task = { type: 'hash-files', root: directory, paths, ledger: undefined } as const
      const digests = await pool.run(task, control)
      return paths.map((path, i) => [path, digests[i]!] as const)
    })
    return new Map((await Promise.all(hashed)).flat())
  })
}

/** Names for each thread, with about the same number of bytes; large files come first. */
function shared(files: readonly MadeFile[], threads: number): string[][] {
  const shares = Array.from({ length: threads }, () => ({ names: [] as string[], blocks: 0 }))
  for (const { name, blocks } of files.toSorted((a, b) => b.blocks - a.blocks)) {
    const least = shares.reduce((a, b) => (b.blocks < a.blocks ? b : a))
    least.names.push(name)
    least.blocks += blocks
  }
  return shares.map(({ names }) => names).filter((names) => names.length > 0)
}
