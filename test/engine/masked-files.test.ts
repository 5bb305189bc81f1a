/**
 * Files of lower layers that layers above replace are not written, unless they are needed after all. Without threads the
 * layers are read one after another, from the top down, so that a layer knows all that is above it.
 */
import * as fs from 'node:fs'
import { expect, test } from 'vitest'
import { library } from '../support/dist.ts'
import { directory, file, hardlink, symlink, tar, type Entry } from '../support/tar-builder.ts'
import { snapshot } from '../reference/snapshot.ts'
import { codeOf, inScratch, optionsFor } from './support.ts'

const OWNED = { uid: 1000, gid: 7, mode: 0o4755, mtime: 3 }
/** Only root can write it. */
const UNHELD = { 'SCHILY.xattr.trusted.t': 'v' }
const old = (name: string): Entry => file(name, 'old body', { ...OWNED, pax: UNHELD })
const dir = (name: string): Entry => directory(name, OWNED)

/** The layers of an image, and one layer that makes the same tree. */
const CASES: [title: string, layers: Entry[][], flat: Entry[]][] = [
  ['a replaced file', [[old('f')], [file('f', 'new')]], [file('f', 'new')]],
  ['a deleted directory', [[dir('d'), old('d/f')], [file('.wh.d')]], []],
  [
    'an opaque directory, with what its own layer adds to it',
    [
      [dir('d'), old('d/f'), old('d/g')],
      [file('d/g', 'new'), file('d/.wh..wh..opq'), dir('d')]
    ],
    [dir('d'), file('d/g', 'new')]
  ],
  ['whiteouts of its own layer', [[old('f'), file('.wh.f')], []], [old('f')]],
  [
    'a hard link in its own layer to a file that is replaced',
    [[old('f'), hardlink('g', 'f')], [file('f', 'new')]],
    [file('f', 'new'), old('g')]
  ],
  [
    'hard links in its own layer to a file that is deleted with its directory',
    [
      [dir('d'), old('d/f'), hardlink('g', 'd/f'), hardlink('h', 'd/f'), old('i')],
      [file('.wh.d'), file('i', 'new')]
    ],
    [old('g'), hardlink('h', 'g'), file('i', 'new')]
  ],
  [
    'a hard link above to a file that is replaced later',
    [[old('f')], [hardlink('g', 'f')], [file('f', 'new')]],
    [file('f', 'new'), old('g')]
  ],
  [
    'a hard link above, through a symbolic link, to a file that is deleted later',
    [[dir('d'), symlink('l', 'd'), old('d/f')], [hardlink('g', 'l/f')], [file('d/.wh.f')]],
    [dir('d'), symlink('l', 'd'), old('g')]
  ],
  ['a hard link to itself', [[old('f')], [hardlink('f', 'f')]], [old('f')]],
  [
    'a file in place of its directory, and a directory again',
    [[dir('d'), old('d/f'), old('d/g')], [file('d', 'file')], [dir('d'), file('d/f', 'new')]],
    [dir('d'), file('d/f', 'new')]
  ],
  [
    'a symbolic link in place of its directory',
    [
      [dir('d'), dir('e'), old('d/f'), old('e/f')],
      [symlink('d', 'e'), file('d/f', 'new')]
    ],
    [dir('e'), symlink('d', 'e'), file('e/f', 'new')]
  ],
  [
    'a path through a symbolic link that led elsewhere when the file was added',
    [
      [dir('d'), dir('e'), symlink('l', 'd'), old('l/f')],
      [symlink('l', 'e')],
      [file('l/f', 'new')]
    ],
    [dir('d'), dir('e'), old('d/f'), symlink('l', 'e'), file('e/f', 'new')]
  ],
  [
    'a whiteout through a symbolic link that came later',
    [[dir('d'), old('d/f')], [dir('e'), file('e/f', 'kept')], [file('.wh.d')], [symlink('d', 'e')]],
    [dir('e'), file('e/f', 'kept'), symlink('d', 'e')]
  ],
  [
    'two entries for one path',
    [[old('f'), hardlink('g', 'f'), file('f', 'newer')], [file('f', 'new')]],
    [file('f', 'new'), old('g')]
  ],
  ['a directory in its place', [[old('f')], [dir('f')]], [dir('f')]]
]

test.each(CASES)('the tree is the same with %s', (_title, layers, flat) =>
  inScratch(async (work) => {
    expect(await bundle(`${work}/layered`, layers)).toEqual(await bundle(`${work}/flat`, [flat]))
  })
)

/** What an unpack makes, and what it remembers: what a rootless unpack cannot write, and the digests of files. */
async function bundle(work: string, layers: Entry[][]): Promise<Record<string, string>> {
  fs.mkdirSync(work)
  const root = directory('./', OWNED)
  const image = layers.map((entries) => tar(...entries, root))
  const options = { ...optionsFor(work, image), rootless: true, jobs: 0 }
  await library.unpack(options)
  const made = fs.readdirSync(options.destination).filter((name) => /mtree$|unheld$/.test(name))
  const text = (name: string): string =>
    fs
      .readFileSync(`${options.destination}/${name}`, 'latin1')
      .replace(/^# +(tree|date):.*$|"inode":"\d+"|"born":\{[^}]*\}/gm, '')
  return {
    rootfs: snapshot(`${options.destination}/rootfs`),
    ...Object.fromEntries(made.map((name) => [name.split('.').at(-1)!, text(name)]))
  }
}

const REPLACED = file('f', 'x'.repeat(4000))
const good = tar(REPLACED)
const sparse = { 'GNU.sparse.map': '0,1', 'GNU.sparse.size': String(2 ** 41) }

test.each([
  ['a tar that ends in it', { tar: good.subarray(0, 2000) }, 'TAR_INVALID'],
  ['another diff ID', { tar: good, diffId: `sha256:${'0'.repeat(64)}` }, 'DIFF_ID_MISMATCH'],
  ['a blob that is cut', { tar: good, blob: Buffer.from('1f8b', 'hex') }, 'COMPRESSION_INVALID'],
  ['a hole that is too large', { tar: tar(file('f', 'x', { pax: sparse })) }, 'LIMIT_EXCEEDED'],
  ['a hard link to nothing', { tar: tar(REPLACED, hardlink('g', 'none')) }, 'ENTRY_INVALID']
])('a replaced file is verified as others are: %s', (_title, lower, code) =>
  inScratch(async (work) => {
    const options = optionsFor(work, { layers: [lower, tar(file('f', 'new'))] })
    expect(await codeOf(library.unpack({ ...options, jobs: 0 }))).toBe(code)
  })
)
