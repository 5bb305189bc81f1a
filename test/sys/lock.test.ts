import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, openSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { lock, tryLock } from '../../src/sys/lock.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'

let directory: string
let child: ChildProcess | undefined

beforeEach(() => {
  directory = makeTemporary()
})

afterEach(() => {
  child?.kill('SIGKILL')
  child = undefined
  removeTemporary(directory)
})

const HOLDER = `
  const { tryLock } = await import(process.argv[1])
  const { openSync, writeFileSync } = await import('node:fs')
  tryLock(openSync(process.argv[2] + '/lock', 'a'), process.argv[3])
  process.stdout.write('held')
  setTimeout(() => { writeFileSync(process.argv[2] + '/released', ''); process.exit() }, Number(process.argv[4]))`

/** Another process that holds the lock for a while. */
async function holdElsewhere(kind: 'shared' | 'exclusive', milliseconds: number): Promise<void> {
  const module = new URL('../../build/sys/lock.js', import.meta.url).pathname
  const args = ['--input-type=module', '-e', HOLDER, module, directory, kind, String(milliseconds)]
  child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout!, 'data')
}

describe('a lock', () => {
  test('that another process holds is not to be had, and is once that has died', async () => {
    await holdElsewhere('exclusive', 60_000)
    const fd = openSync(`${directory}/lock`, 'a')
    expect(tryLock(fd, 'exclusive')).toBe(false)
    expect(tryLock(fd, 'shared')).toBe(false)
    child!.kill('SIGKILL')
    await once(child!, 'exit')
    expect(tryLock(fd, 'exclusive')).toBe(true)
    closeSync(fd)
  })

  test('that is shared may be had by several, but not alone', async () => {
    await holdElsewhere('shared', 60_000)
    const fd = openSync(`${directory}/lock`, 'a')
    expect(tryLock(fd, 'shared')).toBe(true)
    expect(tryLock(fd, 'exclusive')).toBe(false)
    closeSync(fd)
  })

  test('is waited for', async () => {
    await holdElsewhere('exclusive', 200)
    const fd = openSync(`${directory}/lock`, 'a')
    await lock(fd, 'exclusive', () => setTimeout(5))
    expect(existsSync(`${directory}/released`)).toBe(true)
    closeSync(fd)
  })

  test('is not waited for any longer than the caller wants', async () => {
    await holdElsewhere('exclusive', 60_000)
    const fd = openSync(`${directory}/lock`, 'a')
    const giveUp = (): Promise<void> => Promise.reject(new Error('enough'))
    await expect(lock(fd, 'exclusive', giveUp)).rejects.toThrow('enough')
    closeSync(fd)
  })

  test('goes when its descriptor is closed', () => {
    const first = openSync(`${directory}/lock`, 'a')
    const second = openSync(`${directory}/lock`, 'a')
    expect(tryLock(first, 'exclusive')).toBe(true)
    expect(tryLock(second, 'exclusive')).toBe(false)
    closeSync(first)
    expect(tryLock(second, 'exclusive')).toBe(true)
    closeSync(second)
  })
})

test('flock(1) sees the lock', () => {
  const fd = openSync(`${directory}/lock`, 'a')
  expect(tryLock(fd, 'exclusive')).toBe(true)
  expect(spawnSync('flock', ['--nonblock', `${directory}/lock`, 'true']).status).toBe(1)
  closeSync(fd)
  expect(spawnSync('flock', ['--nonblock', `${directory}/lock`, 'true']).status).toBe(0)
})
