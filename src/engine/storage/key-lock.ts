/**
 * One process at a time makes the layer of a key, and nobody takes layers away while an unpack counts on them. The locks
 * are flock(2)s on files that only this user can reach: they die with their holder, and the empty files stay.
 */
import { closeSync, constants, lstatSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { OciUnpackError } from '../../errors.ts'
import { lock, type LockKind } from '../../sys/lock.ts'
import { makeDirectories } from '../../sys/make-directories.ts'
import { pause } from '../abort.ts'

export interface KeyLock {
  release(): void
}

/** Waits until nobody else has the key. @param store name of the hook set. @throws ABORTED, SYSCALL_FAILED */
export async function lockKey(
  store: string,
  key: string,
  signal: AbortSignal | undefined
): Promise<KeyLock> {
  return take(`${store}-${key.replace(':', '-')}`, 'exclusive', signal)
}

/**
 * The whole store: `shared` for who was told that layers are there, `exclusive` for who removes some.
 * @throws ABORTED, SYSCALL_FAILED
 */
export async function lockStore(
  store: string,
  kind: LockKind,
  signal: AbortSignal | undefined
): Promise<KeyLock> {
  return take(`${store}.store`, kind, signal)
}

async function take(
  name: string,
  kind: LockKind,
  signal: AbortSignal | undefined
): Promise<KeyLock> {
  const path = join(lockDirectory(), name.replaceAll('/', '_'))
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600)
  try {
    await lock(fd, kind, () => pause(signal))
  } catch (error) {
    closeSync(fd)
    throw error
  }
  return { release: () => closeSync(fd) }
}

/** The same for all processes of a user, whatever their environment says of temporary files. */
function lockDirectory(): string {
  const uid = process.geteuid!()
  const path = uid === 0 ? '/run/oci-unpack' : `/tmp/oci-unpack-${uid}`
  makeDirectories(path, 0o700)
  const found = lstatSync(path)
  if (found.isDirectory() && found.uid === uid && (found.mode & 0o022) === 0) return path
  throw new OciUnpackError('HOOKS_UNSAFE', 'The directory for locks is not ours alone.', {
    facts: { path },
    hint: 'It must be a directory of this user that nobody else can write to. Remove it.'
  })
}
