import { describe, expect, test } from 'vitest'
import { LayerStage } from '../../src/rootfs/layer-stage.ts'
import { getXattr, listXattrs } from '../../src/sys/metadata.ts'
import { status } from '../../src/sys/status.ts'
import type { TarEntry } from '../../src/tar/entry.ts'
import { LayerEntries } from '../../src/worker/layer-entries.ts'
import { entry } from '../support/archive.ts'
import { failure } from '../support/failure.ts'
import { withOpen, withScratch } from '../support/open-directory.ts'
import { needs } from '../support/requires.ts'

const CAPABILITY = '\x01\0\0\x02\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0'

describe.runIf(needs('root'))('an object is finished when it is staged', () => {
  test('setuid bits and capabilities survive the change of owner', () => {
    staged(
      [
        {
          name: 'ping',
          uid: 7,
          gid: 8,
          mode: 0o6755,
          xattrs: [
            ['security.capability', CAPABILITY],
            ['trusted.t', '\0']
          ]
        }
      ],
      (tree) => {
        expect(status(tree, 'ping')).toMatchObject({ uid: 7, gid: 8, mode: 0o6755 })
        expect(getXattr(tree, 'ping', 'security.capability')).toBe(CAPABILITY)
        expect(getXattr(tree, 'ping', 'trusted.t')).toBe('\0')
      }
    )
  })

  test.each<[string, Partial<TarEntry>]>([
    ['a file', { name: 'x' }],
    ['a symbolic link', { name: 'x', type: 'symlink', link: 'to\xff' }],
    ['a FIFO', { name: 'x', type: 'fifo' }],
    ['a device', { name: 'x', type: 'char', devMajor: 1, devMinor: 3 }]
  ])('%s has owner, mode, attributes and both times', (_name, fields) => {
    const wanted = { uid: 3, gid: 4, mode: 0o604, xattrs: [['trusted.t', 'v']] as const }
    const times = { mtime: { sec: -7, nsec: 9 }, atime: { sec: 5, nsec: 1 } }
    staged([{ ...fields, ...wanted, ...times }], (tree) => {
      const found = status(tree, 'x')
      expect(found).toMatchObject({ uid: 3, gid: 4, mtimeSec: -7, mtimeNsec: 9, atimeSec: 5 })
      expect(found.mode).toBe(fields.type === 'symlink' ? 0o777 : 0o604)
      expect(getXattr(tree, 'x', 'trusted.t')).toBe('v')
    })
  })

  test('a mode of nothing may have attributes', () => {
    staged([{ name: 'x', mode: 0, xattrs: [['user.u', 'v']] }], (tree) => {
      expect(status(tree, 'x').mode).toBe(0)
      expect(getXattr(tree, 'x', 'user.u')).toBe('v')
    })
  })

  test('what no link or FIFO can hold is reported, not fatal', () => {
    const lost: string[] = []
    const link = { name: 'x', type: 'symlink', link: 'y', xattrs: [['user.u', 'v']] } as const
    staged([link], (tree) => expect(listXattrs(tree, 'x')).toEqual([]), lost)
    expect(lost).toEqual(['x user.u'])
  })

  test('nothing of the host is kept: the mode is the image’s, whatever the umask', () => {
    const umask = process.umask(0o077)
    try {
      staged([{ name: 'x', mode: 0o666 }], (tree) => expect(status(tree, 'x').mode).toBe(0o666))
    } finally {
      process.umask(umask)
    }
  })
})

test('directories are entered by nobody else until they are joined', () => {
  const own = { uid: process.geteuid!(), gid: process.getegid!() }
  staged(
    [
      { name: 'd/', type: 'directory', mode: 0o777, ...own },
      { name: 'd/e/f', ...own }
    ],
    (tree) => {
      expect(status(tree, 'd').mode).toBe(0o700)
      expect(status(tree, 'd/e').mode).toBe(0o700)
    }
  )
})

test('an entry that cannot be made is named', () => {
  withScratch((fd) => {
    const { stage, members } = stageOf(fd, [])
    const link = entry({ name: 'd/x', type: 'symlink', link: 'a\0' })
    const error = failure(() => members.entry(link, 0, undefined))
    expect(error).toMatchObject({ code: 'ENTRY_INVALID', facts: { entry: 'd/x' } })
    stage.close()
  })
})

/** Stages entries without bodies in a new directory, and looks at the tree that they make. */
function staged(
  entries: readonly Partial<TarEntry>[],
  look: (tree: number) => void,
  lost: string[] = []
): void {
  withScratch((fd, path) => {
    const { stage, members } = stageOf(fd, lost)
    for (const fields of entries) {
      members.entry(entry(fields), 0, undefined)
      members.end()
    }
    stage.close()
    withOpen(`${path}/tree`, look)
  })
}

function stageOf(fd: number, lost: string[]): { stage: LayerStage; members: LayerEntries } {
  const description = {
    kind: 'staging',
    place: { directory: fd, path: '' },
    digests: false
  } as const
  const stage = new LayerStage(description, {
    lostXattr: (staged, name) => lost.push(`${staged.path} ${name}`),
    holes: () => undefined,
    pause: () => undefined
  })
  const rules = { policy: { kind: 'exact', uidMap: [], gidMap: [] }, maxPathBytes: 4095 } as const
  return { stage, members: new LayerEntries(rules, stage, () => undefined) }
}
