import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import { describe, expect, test } from 'vitest'
import { removeTree } from '../../src/sys/remove-tree.ts'
import { evaluateAsUser, giveToUser } from '../support/as-user.ts'
import { withScratch } from '../support/open-directory.ts'
import { needs } from '../support/requires.ts'

test.each([
  ['a file', (at: string) => fs.writeFileSync(at, '')],
  ['an empty directory', (at: string) => fs.mkdirSync(at)],
  ['a tree', (at: string) => fs.mkdirSync(`${at}/a/b/c`, { recursive: true })],
  ['nothing', () => undefined]
])('%s is gone afterwards', (_name, make) => {
  withScratch((fd, path) => {
    make(`${path}/x`)
    removeTree(fd, 'x')
    expect(fs.readdirSync(path)).toEqual([])
  })
})

test('no link is followed, neither as the name nor inside', () => {
  withScratch((fd, path) => {
    fs.mkdirSync(`${path}/kept`)
    fs.writeFileSync(`${path}/kept/file`, '')
    fs.mkdirSync(`${path}/tree/inner`, { recursive: true })
    for (const link of ['link', 'tree/link', 'tree/inner/link'])
      fs.symlinkSync(`${path}/kept`, `${path}/${link}`)
    removeTree(fd, 'link')
    removeTree(fd, 'tree')
    expect(fs.readdirSync(path, { recursive: true }).sort()).toEqual(['kept', 'kept/file'])
  })
})

test('names of any bytes go', () => {
  withScratch((fd, path) => {
    fs.mkdirSync(`${path}/tree`)
    fs.writeFileSync(Buffer.concat([Buffer.from(`${path}/tree/`), Buffer.from([0xff, 10])]), '')
    removeTree(fd, 'tree')
    expect(fs.readdirSync(path)).toEqual([])
  })
})

test('a tree deeper than there may be open files goes', () => {
  withScratch((fd, path) => {
    const names = Array.from({ length: 1200 }, () => 'd')
    execFileSync('mkdir', ['-p', `tree/${names.join('/')}`], { cwd: path })
    removeTree(fd, 'tree')
    expect(fs.readdirSync(path)).toEqual([])
  })
})

test.runIf(needs('root', 'setpriv'))('modes that keep out the owner are no obstacle', () => {
  withScratch((_fd, path) => {
    fs.mkdirSync(`${path}/at/kept/inner`, { recursive: true })
    const modes = [0, 0o100, 0o200, 0o300, 0o400, 0o500, 0o555, 0o600]
    for (const outer of modes)
      for (const inner of modes) {
        const directory = `${path}/at/tree/${outer}/${inner}`
        fs.mkdirSync(directory, { recursive: true })
        fs.writeFileSync(`${directory}/file`, '', { mode: 0 })
        fs.symlinkSync(`${path}/at/kept`, `${directory}/link`)
      }
    giveToUser(`${path}/at`)
    for (const outer of modes) {
      for (const inner of modes) fs.chmodSync(`${path}/at/tree/${outer}/${inner}`, inner)
      fs.chmodSync(`${path}/at/tree/${outer}`, outer)
    }
    for (const closed of ['tree', 'kept']) fs.chmodSync(`${path}/at/${closed}`, 0)
    const found = evaluateAsUser(
      `${path}/at`,
      `const { removeTree } = await m('sys/remove-tree')
       removeTree(fs.openSync(at), 'tree')
       return [fs.readdirSync(at), mode('kept')]`
    )
    expect(found).toEqual([['kept'], '0'])
  })
})

describe.runIf(needs('mounts'))('what is mounted', () => {
  test.each([
    ['a file system of its own', ['-t', 'tmpfs', 'none']],
    ['a directory of the same file system', ['--bind', 'other']]
  ])('%s below a tree keeps its files, and stops the removal', (_name, mount) => {
    withScratch((fd, path) => {
      fs.mkdirSync(`${path}/tree/a/point`, { recursive: true })
      fs.mkdirSync(`${path}/other`)
      const point = `${path}/tree/a/point`
      execFileSync('mount', [...mount, point], { cwd: path })
      try {
        fs.writeFileSync(`${point}/theirs`, 'theirs')
        expect(() => removeTree(fd, 'tree')).toThrow(/something is mounted there/)
        expect(fs.readFileSync(`${point}/theirs`, 'utf8')).toBe('theirs')
        expect(() => removeTree(fd, 'tree/a/point')).toThrow(/something is mounted there/)
      } finally {
        execFileSync('umount', [point])
      }
    })
  })
})
