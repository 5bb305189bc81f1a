/** What a process leaves when it dies, and who may take it away. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import * as fs from 'node:fs'
import { describe, expect, test } from 'vitest'
import { openDirectory, close } from '../../src/sys/files.ts'
import { openClaimed } from '../../src/workspace/claim.ts'
import { isPrivateName, privateName } from '../../src/workspace/private-name.ts'
import { listLeftovers, removeLeftovers } from '../../src/workspace/leftovers.ts'
import { createNewFile } from '../../src/workspace/new-file.ts'
import { mark } from '../../src/workspace/mark.ts'
import { makePrivateDirectory } from '../../src/workspace/private-directory.ts'
import { withOpen, withScratch } from '../support/open-directory.ts'
import { needs } from '../support/requires.ts'
import { ok } from '../support/run.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'

const name = (base = 'bundle'): string => privateName(base)

describe('a private name', () => {
  test.each(['', 'bundle', 'ü', 'n'.repeat(255), 'two\nlines'])('of %j is known again', (base) => {
    expect(isPrivateName(privateName(base))).toBe(true)
    expect(privateName(base).length).toBeLessThanOrEqual(255)
    expect(privateName(base)).not.toBe(privateName(base))
  })

  test.each([
    '.oci-unpack',
    '.oci-unpack-',
    'oci-unpack-0123456789ab',
    '.x.oci-unpack-0123456789abc'
  ])('is not %s', (other) => {
    expect(isPrivateName(other)).toBe(false)
  })
})

describe('what nobody holds', () => {
  test('goes, with all that it holds', () => {
    withScratch((fd, path) => {
      fs.mkdirSync(`${path}/${name()}/deep/er`, { recursive: true })
      fs.writeFileSync(`${path}/${name('archive.tar')}`, 'half')
      fs.writeFileSync(`${path}/.mine`, '')
      const removed: string[] = []
      removeLeftovers(fd, { onRemoved: (it) => removed.push(it) })
      expect(removed).toHaveLength(2)
      expect(fs.readdirSync(path)).toEqual(['.mine'])
    })
  })

  test('is put right first, and stays where that fails', () => {
    withScratch((fd, path) => {
      const left = name('')
      fs.mkdirSync(`${path}/${left}`)
      fs.writeFileSync(`${path}/${left}/note`, 'note')
      withOpen(`${path}/${left}`, mark)
      const recover = (workspace: number): void => {
        expect(fs.readFileSync(`/proc/self/fd/${workspace}/note`, 'utf8')).toBe('note')
        throw new Error('not now')
      }
      expect(() => removeLeftovers(fd, { recover })).toThrow('not now')
      expect(fs.existsSync(`${path}/${left}/note`)).toBe(true)
    })
  })
})

describe('what stays', () => {
  test('a directory of that name that bears no mark, with all that is in it', () => {
    withScratch((fd, path) => {
      const left = `${path}/${name('')}`
      fs.mkdirSync(`${left}/layers`, { recursive: true })
      fs.writeFileSync(`${left}/journal`, '0000000001\n{}')
      removeLeftovers(fd, { recover: () => expect.fail('recovered') })
      expect(fs.readdirSync(left)).toEqual(['journal', 'layers'])
      withOpen(left, mark)
      removeLeftovers(fd, {})
      expect(fs.readdirSync(path)).toEqual([])
    })
  })

  test('a directory and a file that are in use', () => {
    withScratch((fd, path) => {
      const directory = makePrivateDirectory(fd, () => name(), 0o700)
      const file = createNewFile(fd, name('file'))
      removeLeftovers(fd, {})
      expect(fs.readdirSync(path)).toHaveLength(2)
      expect(listLeftovers(fd)).toMatchObject({ live: { length: 2 }, abandoned: [] })
      directory.release()
      removeLeftovers(fd, {})
      expect(fs.readdirSync(path)).toHaveLength(1)
      file.discard()
    })
  })

  test('what has the name by the time that the lock is there', () => {
    withScratch((fd, path) => {
      const left = name()
      fs.mkdirSync(`${path}/${left}`)
      const openAndLose = (directory: number, it: string): number => {
        const opened = openDirectory(directory, it)
        fs.renameSync(`${path}/${left}`, `${path}/moved`)
        fs.mkdirSync(`${path}/${left}`)
        return opened
      }
      expect(openClaimed(fd, left, openAndLose, ['ours'])).toBeUndefined()
    })
  })

  test('a link of such a name, and what it leads to', () => {
    withScratch((fd, path) => {
      fs.mkdirSync(`${path}/precious/inside`, { recursive: true })
      fs.symlinkSync('precious', `${path}/${name()}`)
      removeLeftovers(fd, {})
      expect(fs.readdirSync(path)).toHaveLength(2)
      expect(fs.existsSync(`${path}/precious/inside`)).toBe(true)
    })
  })

  test.runIf(needs('root', 'mounts'))('what is mounted there, with all that it holds', () => {
    withScratch((fd, path) => {
      const point = `${path}/${name()}`
      fs.mkdirSync(point)
      ok('mount', '-t', 'tmpfs', 'tmpfs', point)
      try {
        fs.writeFileSync(`${point}/precious`, '')
        removeLeftovers(fd, {})
        expect(fs.readdirSync(point)).toEqual(['precious'])
      } finally {
        ok('umount', point)
      }
    })
  })

  test.runIf(needs('root'))('what another user made', () => {
    withScratch((fd, path) => {
      const theirs = name()
      fs.mkdirSync(`${path}/${theirs}`)
      fs.chownSync(`${path}/${theirs}`, 12345, 12345)
      removeLeftovers(fd, {})
      expect(fs.readdirSync(path)).toEqual([theirs])
    })
  })
})

test('a lock outlives its holder only in its children', async () => {
  const path = makeTemporary()
  const left = name()
  fs.mkdirSync(`${path}/${left}`)
  // flock(1) gives its child the descriptor: the child alone is at work when flock itself is killed
  const script = `echo ready; exec sleep 60`
  const holder = spawn('flock', [`${path}/${left}`, 'sh', '-c', script], { detached: true })
  const fd = openDirectory(-100, path)
  try {
    await once(holder.stdout, 'data')
    process.kill(holder.pid!, 'SIGKILL')
    await once(holder, 'exit')
    removeLeftovers(fd, {})
    expect(fs.readdirSync(path)).toEqual([left])
    process.kill(-holder.pid!, 'SIGKILL')
    while (fs.readdirSync(path).length > 0) {
      removeLeftovers(fd, {})
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  } finally {
    close(fd)
    removeTemporary(path)
  }
})
