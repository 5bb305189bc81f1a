import * as fs from 'node:fs'
import { expect, test } from 'vitest'
import { makeDirectories } from '../../src/sys/make-directories.ts'
import { withScratch } from '../support/open-directory.ts'

test('what is missing of a path is made, and told deepest first', () => {
  withScratch((_fd, path) => {
    fs.mkdirSync(`${path}/a`)
    expect(makeDirectories(`${path}/a/b/c`)).toEqual([`${path}/a/b/c`, `${path}/a/b`])
    expect(makeDirectories(`${path}/a/b/c`)).toEqual([])
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
  ['below a link that leads nowhere', (path: string) => `${path}/dangling/x`, 'EEXIST']
])('%s there is an error at once, and nothing new', (_name, target, errno) => {
  withScratch((_fd, path) => {
    fs.writeFileSync(`${path}/file`, '')
    fs.symlinkSync('nowhere', `${path}/dangling`)
    expect(() => makeDirectories(target(path))).toThrow(expect.objectContaining({ errno }))
    expect(fs.readdirSync(path).sort()).toEqual(['dangling', 'file'])
  })
})
