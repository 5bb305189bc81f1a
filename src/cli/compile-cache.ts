/**
 * Keeps compiled code between runs, where Node can (22.1 and later): about a tenth of the time of a short command. What is
 * in the cache is executed, so nobody else may be able to write there.
 */
import { lstatSync, mkdirSync } from 'node:fs'
import * as module from 'node:module'
import { dirname, join } from 'node:path'
import { cacheDirectory } from '../sys/cache-directory.ts'

const enable = (module as { enableCompileCache?: (directory: string) => unknown })
  .enableCompileCache

/** Without a directory that is the user's own, code is compiled in every run. Never throws. */
export function keepCompiledCode(): void {
  if (enable === undefined) return
  const cache = cacheDirectory()
  if (cache === undefined) return
  const directory = join(cache, 'code')
  if (makePrivate(dirname(directory)) && makePrivate(directory)) enable(directory)
}

/** Makes no parents, because a cache is not a reason to make a home. Returns whether the directory is the user's own. */
function makePrivate(directory: string): boolean {
  try {
    mkdirSync(directory, 0o700)
  } catch {
    // it exists, or lstat says that it does not
  }
  try {
    const status = lstatSync(directory)
    return status.isDirectory() && status.uid === process.geteuid!() && (status.mode & 0o022) === 0
  } catch {
    return false
  }
}
