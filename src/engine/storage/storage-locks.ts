/**
 * Only one process at a time makes the layer of a key, and no process removes layers while an unpack relies on them.
 * The locks are flock(2)s on files that only this user can reach: they end with their holder, and the empty files stay.
 * What is locked is also claimed for the owner of the hooks, because the hooks of an engine that was killed may still
 * be running.
 */
import { closeSync, constants, openSync } from 'node:fs'
import { join } from 'node:path'
import type { HookSet } from '../../hooks/calls.ts'
import { lockDirectory } from '../../hooks/lock-directory.ts'
import { lock, type LockKind } from '../../sys/lock.ts'
import { pause } from '../operation/abort.ts'

export interface StorageLock {
  release(): void
}

/** Waits until no other process has the key of a layer. @throws ABORTED, SYSCALL_FAILED */
export async function lockKey(
  hooks: HookSet,
  key: string,
  signal: AbortSignal | undefined
): Promise<StorageLock> {
  return take(hooks, `${hooks.name}-${key.replace(':', '-')}`, 'exclusive', signal)
}

/**
 * Locks the whole storage: `shared` to rely on layers that exist, `exclusive` to remove some.
 * @throws ABORTED, SYSCALL_FAILED
 */
export async function lockStorage(
  hooks: HookSet,
  kind: LockKind,
  signal: AbortSignal | undefined
): Promise<StorageLock> {
  return take(hooks, `${hooks.name}.store`, kind, signal)
}

/**
 * Locks which bundle of a directory is in use, for all hooks: what they do about it must happen in the same order.
 * @throws ABORTED, SYSCALL_FAILED
 */
export async function lockSelection(
  hooks: HookSet,
  directory: string,
  signal: AbortSignal | undefined
): Promise<StorageLock> {
  return take(hooks, `selection-${directory}`, 'exclusive', signal)
}

async function take(
  { owner }: HookSet,
  name: string,
  kind: LockKind,
  signal: AbortSignal | undefined
): Promise<StorageLock> {
  const path = join(lockDirectory(), name.replaceAll('/', '_'))
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600)
  try {
    await lock(fd, kind, () => pause(signal))
    while (RIVALS[kind].some((rival) => owner.rival(claim(name, rival)) !== undefined))
      await pause(signal)
    owner.claim(claim(name, kind))
  } catch (error) {
    closeSync(fd)
    throw error
  }
  return {
    release() {
      owner.disclaim(claim(name, kind))
      closeSync(fd)
    }
  }
}

/** The claims that a lock excludes. A living engine with such a claim would hold the lock itself. */
const RIVALS: Readonly<Record<LockKind, readonly LockKind[]>> = {
  shared: ['exclusive'],
  exclusive: ['exclusive', 'shared']
}

function claim(name: string, kind: LockKind): string {
  return `${kind} ${name}`
}
