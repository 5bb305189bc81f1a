import * as fs from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { toText, type ByteString } from '../../src/bytes.ts'
import { headerBlocks, padding } from '../../src/tar/writer.ts'
import { archive, entry, readArchive, rewrite } from '../support/archive.ts'
import { needs } from '../support/requires.ts'
import {
  factsInArchive,
  factsOnDisk,
  makeTemporary,
  path,
  run,
  writeSparse,
  type Precision
} from '../support/tree.ts'

/** Trees by the poorest format that holds them; bsdtar errs on fractions before 1970. */
type Tree = 'v7' | 'ustar' | 'any' | 'early'

const temporary = makeTemporary()
const trees: Record<Tree, string> = {
  v7: join(temporary, 'v7'),
  ustar: join(temporary, 'ustar'),
  any: join(temporary, 'any'),
  early: join(temporary, 'early')
}

beforeAll(() => {
  for (const tree of Object.values(trees)) fs.mkdirSync(tree)
  for (const tree of Object.values(trees)) makePlain(tree)
  for (const tree of [trees.ustar, trees.any, trees.early]) makeUstar(tree)
  for (const tree of [trees.any, trees.early]) makeAny(tree)
  fs.utimesSync(join(trees.early, 'empty'), new Date(-1500), new Date(-1500))
  for (const tree of Object.values(trees)) fs.utimesSync(join(tree, 'dir'), 1e9, 1e9 + 0.25)
})
afterAll(() => fs.rmSync(temporary, { recursive: true }))

function makePlain(tree: string): void {
  fs.writeFileSync(join(tree, 'empty'), '')
  fs.writeFileSync(path(tree, 'bytes \xff\xe4\n'), 'x'.repeat(700), { mode: 0o640 })
  fs.mkdirSync(join(tree, 'dir/sub'), { recursive: true })
  fs.chmodSync(join(tree, 'dir'), 0o1777)
  fs.writeFileSync(join(tree, 'dir/setuid'), 'x'.repeat(512))
  fs.chmodSync(join(tree, 'dir/setuid'), 0o4755)
  fs.linkSync(join(tree, 'dir/setuid'), join(tree, 'dir/sub/linked'))
  fs.symlinkSync('../no where', join(tree, 'dir/symlink'))
  fs.utimesSync(join(tree, 'dir/setuid'), 1, 1.5)
}

function makeUstar(tree: string): void {
  run('mkfifo', [join(tree, 'fifo')])
  const folder = join(tree, 'p'.repeat(90))
  fs.mkdirSync(folder)
  fs.writeFileSync(join(folder, 'n'.repeat(90)), 'long')
}

function makeAny(tree: string): void {
  const folder = join(tree, 'q'.repeat(200), 'r'.repeat(200))
  fs.mkdirSync(folder, { recursive: true })
  fs.writeFileSync(join(folder, 's'.repeat(255)), 'very long')
  fs.symlinkSync('t'.repeat(300), join(folder, 'symlink'))
  writeSparse(join(tree, 'sparse'), 3_000_000, 'data', [0, 65_536, 2_000_000])
  if (process.geteuid?.() !== 0) return
  fs.chownSync(join(tree, 'empty'), 3_000_000, 4_294_967_294)
}

type Row = readonly [
  program: string,
  format: string,
  tree: Tree,
  precision: Precision,
  args: string[]
]

const tar = ['--numeric-owner', '--sparse']
const rows: readonly Row[] = [
  ['tar', 'v7', 'v7', 'seconds', ['--numeric-owner']],
  ['tar', 'ustar', 'ustar', 'seconds', ['--numeric-owner']],
  ['tar', 'oldgnu', 'early', 'seconds', tar],
  ['tar', 'gnu', 'early', 'seconds', tar],
  ['tar', 'posix', 'early', 'nanoseconds', [...tar, '--sparse-version=0.0']],
  ['tar', 'posix', 'early', 'nanoseconds', [...tar, '--sparse-version=0.1']],
  ['tar', 'posix', 'early', 'nanoseconds', [...tar, '--sparse-version=1.0']],
  ['bsdtar', 'v7tar', 'v7', 'seconds', []],
  ['bsdtar', 'ustar', 'ustar', 'seconds', []],
  ['bsdtar', 'gnutar', 'any', 'seconds', []],
  ['bsdtar', 'pax', 'any', 'nanoseconds', []]
]

describe.each(['tar', 'bsdtar'])('%s as a second opinion', (program) => {
  const there = needs(program)
  const own = rows.filter((row) => row[0] === program)

  test.runIf(there).each(own)('%s --format=%s of the tree for %s is read in %s', (...row) => {
    const [, format, tree, precision, args] = row
    const bytes = run(program, [...args, `--format=${format}`, '-C', trees[tree], '-cf', '-', '.'])
    expect(factsInArchive(readArchive(bytes))).toEqual(factsOnDisk(trees[tree], precision))
  })

  test.runIf(there && needs('tar'))('extracts what the writer wrote', () => {
    const out = fs.mkdtempSync(join(temporary, 'out-'))
    const tree = program === 'tar' ? trees.early : trees.any
    const source = [...tar, '--format=posix', '-C', tree, '-cf', '-', '.']
    const taken = readArchive(run('tar', source)).filter((read) => takes(program, read.entry.name))
    run(program, ['--numeric-owner', '-xpf', '-', '-C', out], rewrite(taken, 'nanoseconds'))
    const wanted = factsOnDisk(tree, 'nanoseconds').filter(({ name }) => takes(program, name))
    expect(factsOnDisk(out, 'nanoseconds')).toEqual(wanted)
  })

  test.runIf(there)('extracts the sparse files that the writer wrote', () => {
    const out = fs.mkdtempSync(join(temporary, 'sparse-'))
    const file = entry({ name: 'd/holes', size: 1_000_000 })
    const headers = headerBlocks(file, { sparse: [65_536, 4, 1_000_000, 0] })
    const bytes = archive(headers, Buffer.from('data'), Buffer.alloc(padding(4)))
    run(program, ['-xf', '-', '-C', out], bytes)
    const wanted = Buffer.alloc(1_000_000)
    wanted.write('data', 65_536)
    expect(fs.readFileSync(join(out, 'd/holes')).equals(wanted)).toBe(true)
  })
})

/** bsdtar complains of PAX names that are not UTF-8. */
function takes(program: string, name: ByteString): boolean {
  return program !== 'bsdtar' || toText(name) !== undefined
}

test.runIf(needs('tar')).each(['0.0', '0.1', '1.0'])(
  'holes of GNU tar’s sparse version %s are not delivered',
  (version) => {
    const args = ['--sparse', `--sparse-version=${version}`, '--format=posix']
    const bytes = run('tar', [...args, '-C', trees.any, '-cf', '-', 'sparse'])
    const [read] = readArchive(bytes)
    expect(read?.entry.size).toBe(3_000_000)
    expect(read?.delivered).toBeLessThan(100_000)
  }
)

test.runIf(needs('tar', 'setfattr'))('binary xattrs of GNU tar are read as bytes', () => {
  const tree = fs.mkdtempSync(join(temporary, 'xattr-'))
  fs.writeFileSync(join(tree, 'file'), '')
  run('setfattr', ['-n', 'user.binary', '-v', '0xff00c3280a3d', join(tree, 'file')])
  const args = ['--xattrs', '--xattrs-include=user.*', '--format=posix']
  const [read] = readArchive(run('tar', [...args, '-C', tree, '-cf', '-', 'file']))
  expect(read?.entry.xattrs).toEqual([['user.binary', '\xff\0\xc3(\n=']])
})
