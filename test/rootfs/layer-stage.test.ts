import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { MaskedPaths, maskMemory } from '../../src/plan/masked-paths.ts'
import {
  bareEntry,
  STAGED_IN_TREE,
  STAGED_NOWHERE,
  type StagedEntry
} from '../../src/plan/staged-entry.ts'
import { LayerStage } from '../../src/rootfs/layer-stage.ts'
import type { Skips } from '../../src/rootfs/skips.ts'
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
    staged([link], (tree) => expect(listXattrs(tree, 'x')).toEqual([]), { lost })
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

describe('what is not to be written', () => {
  const own = { uid: process.geteuid!(), gid: process.getegid!() }
  const layer = [
    { name: 'd/f', size: 1, ...own },
    { name: 'd/g', size: 1, ...own },
    { name: 'l', type: 'symlink', link: 'd', ...own }
  ] as const

  test('leaves no object and no directory: files that layers above replace', () => {
    const memory = maskMemory(0)
    const skips = { kind: 'masked', memory, layer: 0 } as const
    for (const path of ['d', 'l']) new MaskedPaths(memory, 1).note(bareEntry('whiteout', path))
    staged(
      layer,
      (_tree, path, entries) => {
        expect(readdirSync(path)).toEqual(['l'])
        expect(entries.map(({ staged, body }) => [staged, body])).toEqual([
          [STAGED_NOWHERE, 0],
          [STAGED_NOWHERE, 1],
          [STAGED_IN_TREE, undefined]
        ])
      },
      { skips }
    )
  })

  test('is all but what is needed, when a layer is read again', () => {
    const skips = { kind: 'all-but', bodies: new Set([1]) } as const
    staged(
      layer,
      (_tree, path, entries) => {
        expect(readdirSync(path, { recursive: true })).toEqual(['d', 'd/g'])
        expect(entries[1]).toMatchObject({ staged: STAGED_IN_TREE, body: 1 })
      },
      { skips }
    )
  })
})

test('an entry that cannot be made is named', () => {
  withScratch((fd) => {
    const { stage, members } = stageOf(fd, {})
    const link = entry({ name: 'd/x', type: 'symlink', link: 'a\0' })
    const error = failure(() => members.entry(link, 0, undefined))
    expect(error).toMatchObject({ code: 'ENTRY_INVALID', facts: { entry: 'd/x' } })
    stage.close()
  })
})

interface StageOptions {
  /** What is reported lost is added here. */
  lost?: string[]
  skips?: Skips
}

/** Stages entries in a new directory, and looks at the tree that they make. */
function staged(
  entries: readonly Partial<TarEntry>[],
  look: (tree: number, path: string, staged: readonly StagedEntry[]) => void,
  options: StageOptions = {}
): void {
  withScratch((fd, path) => {
    const { stage, members, done } = stageOf(fd, options)
    for (const [index, fields] of entries.entries()) {
      members.entry(entry(fields), index, undefined)
      members.end()
    }
    stage.close()
    withOpen(`${path}/tree`, (tree) => look(tree, `${path}/tree`, done))
  })
}

function stageOf(
  fd: number,
  { lost = [], skips }: StageOptions
): { stage: LayerStage; members: LayerEntries; done: readonly StagedEntry[] } {
  const description = {
    kind: 'staging',
    place: { directory: fd, path: '' },
    digests: false,
    ...(skips === undefined ? {} : { skips })
  } as const
  const stage = new LayerStage(description, {
    lostXattr: (staged, name) => lost.push(`${staged.path} ${name}`),
    holes: () => undefined
  })
  const rules = { policy: { kind: 'exact', uidMap: [], gidMap: [] }, maxPathBytes: 4095 } as const
  const done: StagedEntry[] = []
  return { stage, members: new LayerEntries(rules, stage, (entry) => done.push(entry)), done }
}
