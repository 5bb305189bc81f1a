/** The directories for locks and owners. */
import { lstatSync } from 'node:fs'
import { OciUnpackError } from '../errors.ts'
import { makeDirectories } from '../sys/make-directories.ts'
import { isSystemRoot, uidOutside } from '../sys/user-namespace.ts'

/**
 * The directory for locks: the same for all processes of a user, in user namespaces too, whatever their
 * environment says about temporary files.
 * @throws HOOKS_UNSAFE, SYSCALL_FAILED
 */
export function lockDirectory(): string {
  const path = isSystemRoot() ? '/run/oci-unpack' : `/tmp/oci-unpack-${uidOutside()}`
  return privateDirectory(path, process.geteuid!())
}

/**
 * The directory for owner files. It is separate, because there may be many locks. @throws what `lockDirectory` throws
 */
export function ownerDirectory(): string {
  return privateDirectory(`${lockDirectory()}/owners`, process.geteuid!())
}

function privateDirectory(path: string, uid: number): string {
  makeDirectories(path, 0o700)
  const found = lstatSync(path)
  if (found.isDirectory() && found.uid === uid && (found.mode & 0o022) === 0) return path
  throw new OciUnpackError('HOOKS_UNSAFE', 'Another user could change the directory for locks.', {
    facts: { path },
    hint: 'It must be a directory that belongs to this user and that only this user can write to. Remove it.'
  })
}
