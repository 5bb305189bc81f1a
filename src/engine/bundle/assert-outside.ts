/** Keeps what is made of a bundle out of it. */
import { existsSync, realpathSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { OciUnpackError } from '../../errors.ts'
import { isWithin } from '../../sys/is-within.ts'

/**
 * @param inside absolute path of a directory, without links in it
 * @param path what is to be made, which need not exist, nor the directories above it
 * @param what it is, as in "The archive"; `tree` is where it must not be
 * @throws USAGE
 */
export function assertOutside(inside: string, path: string, what: string, tree: string): void {
  const real = realPath(resolve(path))
  if (!isWithin(real, inside)) return
  throw new OciUnpackError('USAGE', `${what} would be in ${tree}.`, {
    facts: { path: resolve(path) },
    hint: `Give a path outside ${inside}.`
  })
}

/** What is missing has no links. */
function realPath(path: string): string {
  return existsSync(path) || path === '/'
    ? realpathSync(path)
    : join(realPath(dirname(path)), basename(path))
}
