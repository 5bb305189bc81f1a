/**
 * Where a user's caches are: the same for all processes of a user (XDG Base Directory Specification; for root, a
 * directory of the system), unless a caller has chosen another one.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { join } from 'node:path'
import { homeDirectory } from './home.ts'
import { isSystemRoot } from './user-namespace.ts'

export function cacheDirectory(): string {
  return chosen.getStore() ?? directoryOfUser()
}

const chosen = new AsyncLocalStorage<string>()

/** In `act`, and in all that it waits for, caches are in another directory. Other work of the process does not notice. */
export function withCacheDirectory<T>(directory: string, act: () => T): T {
  return chosen.run(directory, act)
}

function directoryOfUser(): string {
  const { XDG_CACHE_HOME } = process.env
  const home =
    XDG_CACHE_HOME?.startsWith('/') === true
      ? XDG_CACHE_HOME
      : isSystemRoot()
        ? '/var/cache'
        : join(homeDirectory() ?? '/', '.cache')
  return join(home, 'oci-unpack')
}
