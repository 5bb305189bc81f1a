import { once } from 'node:events'
import * as fs from 'node:fs'
import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { library } from '../support/dist.ts'
import { directory, file, hardlink, symlink, tar } from '../support/tar-builder.ts'
import { codeOf, inScratch, optionsFor } from './support.ts'

/** Unpacks over what `prepare` makes in the destination. */
function over(
  layers: Buffer[],
  prepare: (root: string) => void | Promise<void>,
  look: (root: string) => void
): Promise<void> {
  return inScratch(async (work) => {
    const options = optionsFor(work, layers)
    fs.mkdirSync(options.destination)
    await prepare(options.destination)
    await library.unpackRootfs(options)
    look(options.destination)
  })
}

const read = (path: string): string => fs.readFileSync(path, 'utf8')
const names = (root: string): string[] =>
  fs.readdirSync(root, { recursive: true }).map(String).sort()

test('files that the image does not name stay, others are replaced', () =>
  over(
    [tar(directory('d/'), file('d/a', 'new'), file('d/b', 'new'))],
    (root) => {
      fs.mkdirSync(`${root}/d`)
      for (const name of ['d/a', 'd/mine', 'mine']) fs.writeFileSync(`${root}/${name}`, 'old')
    },
    (root) => {
      expect(names(root)).toEqual(['d', 'd/a', 'd/b', 'd/mine', 'mine'])
      expect(read(`${root}/d/a`)).toBe('new')
      expect(read(`${root}/d/mine`)).toBe('old')
    }
  ))

test('whiteouts remove what was there', () =>
  over(
    [tar(file('.wh.gone'), file('d/.wh..wh..opq'), file('d/new', 'new'))],
    (root) => {
      fs.mkdirSync(`${root}/d/e`, { recursive: true })
      fs.mkdirSync(`${root}/gone`)
      for (const name of ['d/old', 'd/e/old', 'gone/old']) fs.writeFileSync(`${root}/${name}`, '')
    },
    (root) => expect(names(root)).toEqual(['d', 'd/new'])
  ))

test('hard links stay linked, and the image may link to a file that was there', () =>
  over(
    [tar(hardlink('third', 'first'))],
    (root) => {
      fs.writeFileSync(`${root}/first`, 'one file')
      fs.linkSync(`${root}/first`, `${root}/second`)
    },
    (root) => {
      expect(names(root)).toEqual(['first', 'second', 'third'])
      expect(fs.statSync(`${root}/third`).nlink).toBe(3)
    }
  ))

test('replacing one name of a file leaves the content of its others', () =>
  over(
    [tar(file('first', 'new'))],
    (root) => {
      fs.writeFileSync(`${root}/first`, 'old')
      fs.linkSync(`${root}/first`, `${root}/second`)
    },
    (root) => {
      expect(read(`${root}/first`)).toBe('new')
      expect(read(`${root}/second`)).toBe('old')
    }
  ))

test('a link that was there leads inside the root, not out of it', () =>
  over(
    [tar(file('link/a', 'new'))],
    (root) => {
      fs.mkdirSync(`${root}/../outside`)
      fs.symlinkSync('../outside', `${root}/link`)
    },
    (root) => {
      expect(fs.readdirSync(`${root}/../outside`)).toEqual([])
      expect(read(`${root}/outside/a`)).toBe('new')
    }
  ))

test('a link replaces a directory that was there', () =>
  over(
    [tar(symlink('d', 'elsewhere'))],
    (root) => void fs.mkdirSync(`${root}/d/e`, { recursive: true }),
    (root) => expect(fs.readlinkSync(`${root}/d`)).toBe('elsewhere')
  ))

test('a socket survives', () =>
  inScratch(async (work) => {
    const options = optionsFor(work, [tar(file('a', 'new'))])
    fs.mkdirSync(options.destination)
    const server = createServer().listen(`${options.destination}/socket`)
    await once(server, 'listening')
    await library.unpackRootfs(options)
    expect(fs.lstatSync(`${options.destination}/socket`).isSocket()).toBe(true)
    server.close()
  }))

test('a directory that nobody describes keeps its metadata, its times too', () =>
  over(
    [tar(file('d/a', 'new'))],
    (root) => {
      fs.mkdirSync(`${root}/d`, { mode: 0o751 })
      for (const path of [`${root}/d`, root]) fs.utimesSync(path, 5, 7)
    },
    (root) => {
      for (const path of [`${root}/d`, root]) expect(fs.statSync(path).mtimeMs).toBe(7000)
      expect(fs.statSync(`${root}/d`).mode & 0o7777).toBe(0o751)
    }
  ))

test('a directory that nobody describes stays the same one, however much comes into it', () =>
  over(
    [tar(...['a', 'b', 'c', 'e', 'f', 'g'].map((name) => file(`d/${name}`, 'new')))],
    (root) => {
      fs.mkdirSync(`${root}/d`)
      fs.chmodSync(`${root}/d`, 0o2750)
      fs.utimesSync(`${root}/d`, 5, 7)
    },
    (root) => {
      expect(fs.statSync(`${root}/d`).mode & 0o7777).toBe(0o2750)
      expect(fs.statSync(`${root}/d`).mtimeMs).toBe(7000)
    }
  ))

test('a root that the image describes gets its metadata', () =>
  over(
    [tar(directory('./', { mode: 0o711, mtime: 9 }), file('a', 'new'))],
    (root) => fs.utimesSync(root, 5, 7),
    (root) => {
      expect(fs.statSync(root).mtimeMs).toBe(9000)
      expect(fs.statSync(root).mode & 0o7777).toBe(0o711)
    }
  ))

test('an image that fails leaves everything as it was', () =>
  inScratch(async (work) => {
    const options = optionsFor(work, {
      layers: [
        tar(file('a', 'new'), file('.wh.b')),
        { tar: tar(file('c')), diffId: `sha256:${'0'.repeat(64)}` }
      ]
    })
    const root = options.destination
    fs.mkdirSync(root)
    fs.writeFileSync(`${root}/a`, 'old')
    fs.writeFileSync(`${root}/b`, 'old')
    fs.utimesSync(root, 5, 7)
    const before = fs.statSync(`${root}/a`).ctimeMs
    expect(await codeOf(library.unpackRootfs(options))).toBe('DIFF_ID_MISMATCH')
    expect(names(root)).toEqual(['a', 'b'])
    expect(read(`${root}/a`)).toBe('old')
    expect(fs.statSync(`${root}/a`).ctimeMs).toBe(before)
    expect(fs.statSync(root).mtimeMs).toBe(7000)
  }))
