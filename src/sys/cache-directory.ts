/**
 * Where a user's caches are: the same for all processes of a user (XDG Base Directory Specification; for root, a
 * directory of the system).
 */
import { join } from 'node:path'
import { homeDirectory } from './home.ts'
import { isSystemRoot } from './user-namespace.ts'

export function cacheDirectory(): string {
  const { XDG_CACHE_HOME } = process.env
  const home =
    XDG_CACHE_HOME?.startsWith('/') === true
      ? XDG_CACHE_HOME
      : isSystemRoot()
        ? '/var/cache'
        : join(homeDirectory() ?? '/', '.cache')
  return join(home, 'oci-unpack')
}
