/**
 * Where a user's caches are: the same for all processes of a user (XDG Base Directory Specification; for root, a
 * directory of the system), unless a caller has chosen another one.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { accessSync, constants } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { isSystemRoot } from './user-namespace.ts'

/** Undefined if the user has no home, and no other directory for caches. */
export function cacheDirectory(): string | undefined {
  return chosen.getStore() ?? directoryOfUser()
}

const chosen = new AsyncLocalStorage<string>()

/** In `act`, and in all that it waits for, caches are in another directory. Other work of the process does not notice. */
export function withCacheDirectory<T>(directory: string, act: () => T): T {
  return chosen.run(directory, act)
}

function directoryOfUser(): string | undefined {
  const caches = directoryOfCaches()
  return caches === undefined ? undefined : join(caches, 'oci-unpack')
}

function directoryOfCaches(): string | undefined {
  const { XDG_CACHE_HOME, HOME } = process.env
  if (XDG_CACHE_HOME?.startsWith('/') === true) return XDG_CACHE_HOME
  if (isSystemRoot()) return '/var/cache'
  const home = isHome(HOME) ? HOME : homeOfAccount()
  return isHome(home) ? join(home, '.cache') : undefined
}

/** Services often have the root directory as their home, which is not theirs. */
function isHome(path: string | undefined): path is string {
  return path?.startsWith('/') === true && (!/^\/+$/.test(path) || isWritable(path))
}

function homeOfAccount(): string | undefined {
  try {
    return userInfo().homedir
  } catch {
    return undefined
  }
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK)
    return true
  } catch {
    return false
  }
}
