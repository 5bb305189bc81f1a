/** What the image of one layer says about the layers below. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { LayerTree } from '../../src/erofs/layer-tree.ts'
import type { StagedEntry } from '../../src/plan/staged-entry.ts'
import { buildLayer, fileMember, staged, type LayerMember } from '../support/erofs-image.ts'
import { withErofs } from '../support/erofs-mount.ts'
import { readAll } from '../support/erofs-read.ts'
import { failure } from '../support/failure.ts'
import { needs } from '../support/requires.ts'
import { ok } from '../support/run.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'

const file = (path: string): StagedEntry => staged('file', path)
const directory = (path: string): StagedEntry => staged('directory', path, { mode: 0o700 })
const link = (path: string, to: string): StagedEntry => staged('symlink', path, { link: to })
const whiteout = (path: string): StagedEntry => staged('whiteout', path)
const opaque = (path: string): StagedEntry => staged('opaque', path)

/** A line for each path: its type, `w` for a whiteout, and the marks of overlayfs. */
function outline(entries: readonly StagedEntry[]): string[] {
  const { image } = buildLayer(entries.map((entry) => ({ entry, ...bodyFor(entry) })))
  return [...readAll(image)]
    .flatMap(([path, { type, xattrs, device, mode }]) => {
      if (path === '' && xattrs.length === 0) return []
      const kind = type === 'char' && device[0] === 0 && mode === 0 ? 'w' : type[0]!
      const marks = xattrs.map(
        ([name, value]) => ` ${name.slice('trusted.overlay.'.length)}=${value}`
      )
      return [`${kind} ${path}${marks.join('')}`]
    })
    .sort()
}

function bodyFor({ type }: StagedEntry): Partial<LayerMember> {
  return type === 'file' ? { body: new Uint8Array() } : {}
}

test.each([
  { name: 'a whiteout', entries: [whiteout('a')], shows: ['d  origin=', 'w a'] },
  {
    name: 'a whiteout in a directory without an entry',
    entries: [whiteout('d/a')],
    shows: ['d d origin=', 'w d/a']
  },
  {
    name: 'a whiteout twice',
    entries: [whiteout('a'), whiteout('a')],
    shows: ['d  origin=', 'w a']
  },
  { name: 'a file before its whiteout', entries: [file('a'), whiteout('a')], shows: ['f a'] },
  { name: 'a file after its whiteout', entries: [whiteout('a'), file('a')], shows: ['f a'] },
  {
    name: 'a directory that is made again',
    entries: [whiteout('d'), directory('d'), file('d/f')],
    shows: ['d d opaque=y', 'f d/f']
  },
  {
    name: 'the same in another order',
    entries: [file('d/f'), whiteout('d')],
    shows: ['d d opaque=y', 'f d/f']
  },
  { name: 'an opaque directory', entries: [directory('d'), opaque('d')], shows: ['d d opaque=y'] },
  {
    name: 'an opaque directory without an entry',
    entries: [opaque('d/e')],
    shows: ['d d', 'd d/e opaque=y']
  },
  {
    name: 'an opaque directory with a whiteout',
    entries: [opaque('d'), whiteout('d/a')],
    shows: ['d d opaque=y origin=', 'w d/a']
  },
  { name: 'an opaque root', entries: [opaque('')], shows: ['d  opaque=y'] },
  { name: 'a file twice', entries: [file('a'), link('a', 'b')], shows: ['s a'] },
  {
    name: 'a directory over a file',
    entries: [file('a'), directory('a')],
    shows: ['d a opaque=y']
  },
  {
    name: 'a file over a directory',
    entries: [directory('a'), file('a/f'), file('a')],
    shows: ['f a']
  },
  {
    name: 'a file below a file',
    entries: [file('a'), file('a/f')],
    shows: ['d a opaque=y', 'f a/f']
  },
  {
    name: 'a path through a link',
    entries: [link('l', 'd/e'), file('l/f')],
    shows: ['d d', 'd d/e', 'f d/e/f', 's l']
  },
  {
    name: 'a path through an absolute link',
    entries: [link('d/l', '/e'), whiteout('d/l/a')],
    shows: ['d d', 'd e origin=', 's d/l', 'w e/a']
  },
  {
    name: 'a path through a link that leads above the root',
    entries: [link('l', '../../x/../y'), file('l/f')],
    shows: ['d y', 'f y/f', 's l']
  },
  {
    name: 'a link whose way changes',
    entries: [link('l', 'd/x/..'), file('l/f'), link('l/x', '/e/e'), file('l/y')],
    shows: ['d d', 'd e', 'f d/f', 'f e/y', 's d/x', 's l']
  },
  {
    name: 'a hard link',
    entries: [file('a'), staged('hardlink', 'b', { link: 'a' })],
    shows: ['f a', 'f b']
  },
  {
    name: 'a hard link to itself',
    entries: [file('a'), staged('hardlink', 'a', { link: 'a' })],
    shows: ['f a']
  }
])('$name', ({ entries, shows }) => {
  expect(outline(entries)).toEqual(shows)
})

test('a hard link to another layer is left out and reported', () => {
  const layer = new LayerTree()
  for (const entry of [
    staged('hardlink', 'early', { link: 'a' }),
    file('a'),
    staged('hardlink', 'other', { link: 'd/elsewhere' })
  ])
    layer.add(entry)
  expect(layer.linksElsewhere).toEqual(['early', 'other'])
})

test.each([
  { name: 'a root that is a file', entries: [file('')], reason: /root/ },
  {
    name: 'a hard link to a directory',
    entries: [directory('d'), staged('hardlink', 'a', { link: 'd' })],
    reason: /directory/
  },
  {
    name: 'links in a circle',
    entries: [link('a', 'b'), link('b', 'a'), file('a/f')],
    reason: /links/
  }
])('$name is refused', ({ entries, reason }) => {
  const error = failure(() => outline(entries))
  expect(error).toMatchObject({
    code: 'ENTRY_INVALID',
    facts: { reason: expect.stringMatching(reason) as string }
  })
})

test.runIf(needs('root', 'loop', 'erofs', 'overlay'))('the kernel stacks images of layers', () => {
  const lower: LayerMember[] = [
    fileMember('kept', Buffer.from('1')),
    fileMember('removed', Buffer.from('1')),
    fileMember('d/old', Buffer.from('1')),
    fileMember('e/old', Buffer.from('1')),
    fileMember('e/kept', Buffer.from('1')),
    fileMember('r/old', Buffer.from('1'))
  ]
  const upper: LayerMember[] = [
    { entry: whiteout('removed') },
    { entry: opaque('d') },
    fileMember('d/new', Buffer.from('2')),
    { entry: whiteout('e/old') },
    { entry: whiteout('only-here/never-there') },
    { entry: whiteout('r') },
    { entry: directory('r') }
  ]
  expect(stacked(lower, upper)).toEqual(
    ['d', 'd/new', 'e', 'e/kept', 'kept', 'only-here', 'r'].map((path) => `./${path}`)
  )
})

function stacked(lower: readonly LayerMember[], upper: readonly LayerMember[]): string[] {
  const scratch = makeTemporary()
  const [below, above, merged] = ['below', 'above', 'merged'].map((name) => join(scratch, name))
  try {
    ok('mkdir', below!, above!, merged!)
    writeFileSync(join(below!, 'image'), buildLayer(lower).image)
    writeFileSync(join(above!, 'image'), buildLayer(upper).image)
    return withErofs(below!, [join(below!, 'image')], (bottom) =>
      withErofs(above!, [join(above!, 'image')], (top) => {
        ok('mount', '-t', 'overlay', 'overlay', '-o', `ro,lowerdir=${top}:${bottom}`, merged!)
        try {
          const { stdout } = ok(
            'sh',
            '-c',
            'cd "$1" && find . -mindepth 1 | LC_ALL=C sort',
            'sh',
            merged!
          )
          return stdout.trim().split('\n')
        } finally {
          ok('umount', merged!)
        }
      })
    )
  } finally {
    removeTemporary(scratch)
  }
}
