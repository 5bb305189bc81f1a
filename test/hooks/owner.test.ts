/** Who is at work: an engine, and what it started for its hooks, also when it was killed. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { lockKey, lockStorage } from '../../src/engine/storage/storage-locks.ts'
import type { HookSet } from '../../src/hooks/calls.ts'
import { functionHooks } from '../../src/hooks/function-hooks.ts'
import { isOwnerAlive, ownerName, ownerProcesses } from '../../src/hooks/owner.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { hooksToml, load } from './support.ts'

let directory: string
const orphans: number[] = []

beforeEach(() => {
  directory = makeTemporary()
})

afterEach(() => {
  for (const pid of orphans.splice(0)) end(pid)
  removeTemporary(directory)
})

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // it has ended already
  }
}

/** A set whose gc leaves a process behind. */
async function leaveOrphan(): Promise<{ set: HookSet; orphan: number }> {
  const script = 'sleep 1000 > /dev/null & echo $! > pid; echo "$OCI_UNPACK_OWNER" > owner'
  const set = load(directory, hooksToml(['/bin/sh', '-c', script], '', ['gc'], 'rootfs'))
  await set.call('gc', { liveKeys: [] })
  const orphan = Number(readFileSync(join(directory, 'pid'), 'utf8'))
  orphans.push(orphan)
  return { set, orphan }
}

async function ended(name: string): Promise<void> {
  while (isOwnerAlive(name)) await setTimeout(5)
}

describe('an owner', () => {
  test('lives as long as its engine, and leaves nothing behind', async () => {
    const set = functionHooks({})
    const { path } = set.owner
    expect(isOwnerAlive(ownerName(set))).toBe(true)
    await set.close()
    await set.close()
    expect(existsSync(path)).toBe(false)
  })

  test('lives until the last process that a program of a hook started has ended', async () => {
    const { set, orphan } = await leaveOrphan()
    const name = ownerName(set)
    expect(readFileSync(join(directory, 'owner'), 'utf8').trim()).toBe(set.owner.path)
    await set.close()
    expect(isOwnerAlive(name)).toBe(true)
    expect(ownerProcesses(name)).toEqual([orphan])
    end(orphan)
    await ended(name)
    expect(ownerProcesses(name)).toEqual([])
  })

  test('lives as long as a process to which a function handed its lock', async () => {
    const set = functionHooks({
      gc: (_context, { lockFd }) => {
        const script = 'sleep 1000 > /dev/null & echo $!'
        const stdio = ['ignore', 'pipe', 'ignore', lockFd] as const
        const { stdout } = spawnSync('/bin/sh', ['-c', script], { stdio: [...stdio] })
        orphans.push(Number(stdout.toString()))
        return undefined
      }
    })
    const name = ownerName(set)
    await set.call('gc', { liveKeys: [] })
    await set.close()
    expect(isOwnerAlive(name)).toBe(true)
  })

  test('is not kept alive by other children of the engine', () => {
    const set = functionHooks({})
    const { path } = set.owner
    const listed = spawnSync('/bin/ls', ['-l', '/proc/self/fd'], { encoding: 'utf8' })
    expect(listed.stdout).not.toContain(path)
    return set.close()
  })

  test('that is dead goes when the next one is made', async () => {
    const { set, orphan } = await leaveOrphan()
    const { path } = set.owner
    const name = ownerName(set)
    await set.close()
    end(orphan)
    await ended(name)
    const next = functionHooks({})
    expect(next.owner.path).not.toBe(path)
    expect(existsSync(path)).toBe(false)
    await next.close()
  })

  test.each(['', 'owner-', '../owners', '/etc/passwd', 'owner-00\n'])(
    'is no file of another kind: %j',
    (name) => {
      expect(isOwnerAlive(name)).toBe(false)
    }
  )
})

describe('what a killed engine had locked', () => {
  const key = 'sha256:00'

  /** Takes the lock, then leaves everything to the orphan as a kill does. */
  async function orphanHolding(take: (set: HookSet) => Promise<unknown>): Promise<number> {
    const { set, orphan } = await leaveOrphan()
    const own = { ...set, owner: set.owner }
    const release = (await take(own)) as { release(): void }
    // a kill closes all descriptors, and takes nothing back
    set.owner.disclaim = () => undefined
    release.release()
    await set.close()
    return orphan
  }

  async function isFree(take: Promise<unknown>): Promise<boolean> {
    const first = await Promise.race([take, setTimeout(100, 'waits')])
    return first !== 'waits'
  }

  test.each([
    ['makes the layer wait', (set: HookSet) => lockKey(set, key, undefined), true],
    ['lets others have other layers', (set: HookSet) => lockKey(set, 'sha256:1', undefined), false],
    [
      'lets others have the store',
      (set: HookSet) => lockStorage(set, 'exclusive', undefined),
      false
    ]
  ])('as the key of a layer, while a hook of it works, %s', async (_what, take, waits) => {
    const orphan = await orphanHolding((set) => lockKey(set, key, undefined))
    const next = functionHooks({ name: 'under test' })
    const taken = take(next)
    expect(await isFree(taken)).toBe(!waits)
    end(orphan)
    ;(await taken).release()
    await next.close()
  })

  test('as a store that it unpacked from keeps its layers, and others may unpack from it', async () => {
    const orphan = await orphanHolding((set) => lockStorage(set, 'shared', undefined))
    const [reader, collector] = [0, 1].map(() => functionHooks({ name: 'under test' }))
    const reading = await lockStorage(reader!, 'shared', undefined)
    reading.release()
    const collecting = lockStorage(collector!, 'exclusive', undefined)
    expect(await isFree(collecting)).toBe(false)
    end(orphan)
    ;(await collecting).release()
    await reader!.close()
    await collector!.close()
  })

  test('that was given back is free, whatever a hook left running', async () => {
    const { set } = await leaveOrphan()
    const held = await lockKey(set, key, undefined)
    held.release()
    await set.close()
    const next = functionHooks({ name: 'under test' })
    ;(await lockKey(next, key, undefined)).release()
    await next.close()
  })
})
