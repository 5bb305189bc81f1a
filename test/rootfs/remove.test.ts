import * as fs from 'node:fs'
import { expect, test } from 'vitest'
import { removeTree } from '../../src/rootfs/remove.ts'
import { withScratch } from '../support/open-directory.ts'

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
