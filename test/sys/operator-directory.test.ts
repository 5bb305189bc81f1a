import * as fs from 'node:fs'
import { describe, expect, test } from 'vitest'
import { openDestination } from '../../src/sys/destination.ts'
import { close } from '../../src/sys/files.ts'
import { makeDirectories } from '../../src/sys/make-directories.ts'
import { openOrMakeDirectory } from '../../src/sys/operator-directory.ts'
import { withScratch } from '../support/open-directory.ts'
import { needs } from '../support/requires.ts'

test('what is missing of a path is made, and goes again unless somebody uses it', () => {
  withScratch((_fd, path) => {
    fs.mkdirSync(`${path}/a`)
    const made = openOrMakeDirectory(`${path}/a/b/c/d`)
    expect(fs.existsSync(`${path}/a/b/c/d`)).toBe(true)
    expect(made.isNew).toBe(true)
    fs.writeFileSync(`${path}/a/b/theirs`, '')
    made.removeNew()
    made.close()
    expect(fs.readdirSync(`${path}/a/b`)).toEqual(['theirs'])
  })
})

test('a failure has the whole path', () => {
  const path = '/proc/oci-unpack/cannot/be/made'
  expect(() => openOrMakeDirectory(path)).toThrow(
    expect.objectContaining({ facts: expect.objectContaining({ path }) as unknown })
  )
})

test('what was there stays', () => {
  withScratch((_fd, path) => {
    const opened = openOrMakeDirectory(path)
    expect(opened.isNew).toBe(false)
    opened.removeNew()
    opened.close()
    expect(fs.existsSync(path)).toBe(true)
  })
})

test('directories are removed by their handles, whatever has their names by then', () => {
  withScratch((_fd, path) => {
    const made = openOrMakeDirectory(`${path}/a/b`)
    fs.renameSync(`${path}/a`, `${path}/moved`)
    fs.mkdirSync(`${path}/outside/b`, { recursive: true })
    fs.symlinkSync('outside', `${path}/a`)
    made.removeNew()
    made.close()
    expect(fs.existsSync(`${path}/outside/b`)).toBe(true)
    expect(fs.readdirSync(`${path}/moved`)).toEqual([])
  })
})

test('links of the operator are followed', () => {
  withScratch((_fd, path) => {
    fs.mkdirSync(`${path}/real`)
    fs.symlinkSync('real', `${path}/link`)
    makeDirectories(`${path}/link/new`)
    expect(fs.existsSync(`${path}/real/new`)).toBe(true)
  })
})

test.each([
  ['below a file', (path: string) => `${path}/file/x/y`, 'ENOTDIR'],
  ['where the kernel makes none', () => '/proc/x/y', 'ENOENT'],
  ['below a link that leads nowhere', (path: string) => `${path}/dangling/x`, 'ENOTDIR']
])('%s there is an error at once, and nothing new', (_name, target, errno) => {
  withScratch((_fd, path) => {
    fs.writeFileSync(`${path}/file`, '')
    fs.symlinkSync('nowhere', `${path}/dangling`)
    expect(() => makeDirectories(target(path))).toThrow(expect.objectContaining({ errno }))
    expect(fs.readdirSync(path).sort()).toEqual(['dangling', 'file'])
  })
})

describe.runIf(needs('root'))('a destination that is a link', () => {
  test.each([
    ['of the caller is followed', 0, undefined],
    ['of another user is not', 12345, 'TARGET_INVALID']
  ])('%s', (_name, uid, code) => {
    withScratch((_fd, path) => {
      fs.mkdirSync(`${path}/real`)
      fs.symlinkSync('real', `${path}/link`)
      fs.lchownSync(`${path}/link`, uid, uid)
      if (code === undefined) close(openDestination(`${path}/link`))
      else expect(() => openDestination(`${path}/link`)).toThrow(expect.objectContaining({ code }))
    })
  })
})
