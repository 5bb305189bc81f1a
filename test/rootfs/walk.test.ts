import * as fs from 'node:fs'
import { expect, test } from 'vitest'
import { fromText } from '../../src/bytes.ts'
import { readExisting } from '../../src/rootfs/existing.ts'
import { walk } from '../../src/rootfs/walk.ts'
import { withScratch } from '../support/open-directory.ts'

test('parents come before children, siblings in the order of their bytes', () => {
  withTree((fd) => {
    expect([...walk(fd, new Set())].map(({ path }) => path)).toEqual([
      '',
      'a',
      'a.b',
      'b',
      'link',
      '\xff',
      'a/x',
      'a/z',
      'a/x/deep'
    ])
  })
})

test('what is skipped is left out with all below it', () => {
  withTree((fd) => {
    const paths = [...walk(fd, new Set(['a/x', 'b']))].map(({ path }) => path)
    expect(paths).toEqual(['', 'a', 'a.b', 'link', '\xff', 'a/z'])
  })
})

test('a directory that is stayed out of is given without what it holds', () => {
  withTree((fd) => {
    const paths = [...walk(fd, new Set(), ({ path }) => path === 'a')].map(({ path }) => path)
    expect(paths).toEqual(['', 'a', 'a.b', 'b', 'link', '\xff'])
  })
})

test('each has a handle and a name that lead to it', () => {
  withTree((fd, root) => {
    for (const { path, directory, name, status } of walk(fd, new Set())) {
      if (path === '') continue
      const at = `/proc/self/fd/${directory}/${name}`
      expect(fs.lstatSync(Buffer.from(at, 'latin1'), { bigint: true }).ino).toBe(status.inode)
      expect(fs.realpathSync(`/proc/self/fd/${directory}`).startsWith(root)).toBe(true)
    }
  })
})

test('an existing tree is read with its links, and names of one file have one key', () => {
  withTree((fd, root) => {
    fs.linkSync(`${root}/b`, `${root}/c`)
    const tree = { fd, path: fromText(fs.realpathSync(root)), skip: new Set(['a']) }
    const found = new Map<string, { type: string; link: string; key: string }>()
    readExisting(tree, ({ path, type, link }, key) => found.set(path, { type, link, key }))
    expect([...found.keys()]).toEqual(['', 'a.b', 'b', 'c', 'link', '\xff'])
    expect(found.get('link')).toMatchObject({ type: 'symlink', link: 'a/nowhere' })
    expect(found.get('c')?.key).toBe(found.get('b')?.key)
    expect(found.get('a.b')?.key).not.toBe(found.get('b')?.key)
  })
})

function withTree(work: (fd: number, root: string) => void): void {
  withScratch((fd, root) => {
    fs.mkdirSync(`${root}/a/x/deep`, { recursive: true })
    for (const name of ['a.b', 'a/z', 'b']) fs.writeFileSync(`${root}/${name}`, '')
    fs.writeFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xff])]), '')
    fs.symlinkSync('a/nowhere', `${root}/link`)
    work(fd, root)
  })
}
