/** The mark of a bundle that is not complete: it holds the digest of the image manifest, and its owner locks it. */
import { openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { UNFINISHED_FILE } from '../../bundle/files.ts'
import { OciUnpackError } from '../../errors.ts'
import type { BundleContext } from '../../hooks/contexts.ts'
import { tryLock } from '../../sys/lock.ts'

/** Undefined where there is none. */
export function openMark(state: string): number | undefined {
  try {
    return openSync(join(state, UNFINISHED_FILE), 'r')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw error
  }
}

/** Takes the lock until the descriptor is closed. @throws BUNDLE_EXISTS where another process has it */
export function assertUnclaimed(fd: number, { bundle }: BundleContext): void {
  if (tryLock(fd, 'exclusive')) return
  throw new OciUnpackError('BUNDLE_EXISTS', 'Another process is at work on a bundle there.', {
    facts: { path: bundle }
  })
}

/** The digest; empty where the process died before it had written it. */
export function readMark(fd: number): string {
  const text = readFileSync(fd, 'utf8')
  return /^[a-z0-9]+:[0-9a-f]+$/.test(text) ? text : ''
}
