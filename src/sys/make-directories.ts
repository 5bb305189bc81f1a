import { mkdirSync, rmdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { fromNode } from './failure.ts'

/**
 * Makes what is missing of an absolute path that the operator gave; links in it are followed. Gives the new
 * directories, deepest first. Where it fails, none of them is left. (Node's recursive mkdir tries for ever in places
 * such as /proc, where a directory that is there cannot hold another.)
 * @throws SyscallError
 */
export function makeDirectories(path: string, mode = 0o777): string[] {
  const made: string[] = []
  try {
    for (const missing of missingOf(path)) if (make(missing, mode)) made.unshift(missing)
  } catch (error) {
    made.forEach(removeIfEmpty)
    throw fromNode(error)
  }
  return made
}

/** A directory in which somebody else has put something stays. */
export function removeIfEmpty(path: string): void {
  try {
    rmdirSync(path)
  } catch {
    // somebody else has put something there meanwhile, or removed it
  }
}

/** From the top down. */
function missingOf(path: string): string[] {
  const missing: string[] = []
  for (let at = path; !isDirectory(at) && dirname(at) !== at; at = dirname(at)) missing.unshift(at)
  return missing
}

/** Says whether it is ours: somebody else may be as fast. */
function make(path: string, mode: number): boolean {
  try {
    mkdirSync(path, { mode })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST' && isDirectory(path)) return false
    throw error
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}
