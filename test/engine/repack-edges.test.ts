import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import { createServer } from 'node:net'
import { dirname } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { diff } from '../../src/index.ts'
import { AT_FDCWD } from '../../src/sys/files.ts'
import { tryLock } from '../../src/sys/lock.ts'
import { setTimes, setXattr } from '../../src/sys/metadata.ts'
import { needs } from '../support/requires.ts'
import { directory, file, hardlink, tar } from '../support/tar-builder.ts'
import { ok } from '../support/run.ts'
import { withBundle, type SmallBundle } from './repack-bundle.ts'

/** Runs while a socket is at the path. */
async function withSocket<T>(path: string, act: () => Promise<T>): Promise<T> {
  const server = createServer()
  await new Promise<void>((done) => server.listen(path, done))
  try {
    return await act()
  } finally {
    server.close()
  }
}

/** Changes something in a directory without leaving a trace on the directory itself. */
function quietly(directory: string, act: () => void): void {
  const { mtimeNs } = fs.lstatSync(directory, { bigint: true })
  act()
  const time = { sec: Number(mtimeNs / 1_000_000_000n), nsec: Number(mtimeNs % 1_000_000_000n) }
  setTimes(AT_FDCWD, directory, time, time)
}

describe.runIf(needs('root'))('sockets', () => {
  test('a new one is warned of and makes no layer', async () => {
    await withBundle(async ({ rootfs, bundle, repack }) => {
      const { mtime } = fs.lstatSync(rootfs)
      await withSocket(`${rootfs}/socket`, async () => {
        fs.utimesSync(rootfs, mtime, mtime)
        const { layer, warnings } = await repack({ refreshBundle: true })
        expect(layer).toBeUndefined()
        expect(warnings).toEqual(['A layer cannot hold a socket, so it is left out. socket'])
        expect(await diff({ bundle })).toEqual([])
      })
    })
  })

  test('one in place of a file deletes the file, and a file in place of one is new', async () => {
    await withBundle(async ({ rootfs, bundle, repack }) => {
      fs.rmSync(`${rootfs}/d/f`)
      await withSocket(`${rootfs}/d/f`, async () => {
        expect((await repack({ refreshBundle: true })).lines).toContain('file d/.wh.f')
      })
      fs.writeFileSync(`${rootfs}/d/f`, 'again')
      const kinds = (await diff({ bundle })).map(({ kind, path }) => `${kind} ${path}`)
      expect(kinds).toContain('added d/f')
      expect((await repack()).lines).toContain('file d/f')
    })
  })

  test('one in place of a directory deletes the directory once', async () => {
    await withBundle(async ({ rootfs, repack }) => {
      fs.rmSync(`${rootfs}/d`, { recursive: true })
      await withSocket(`${rootfs}/d`, async () => {
        const { lines } = await repack()
        expect(lines.filter((line) => line.includes('.wh.'))).toEqual(['file .wh.d'])
      })
    })
  })
})

test.runIf(needs('root'))('a bundle is looked at when nobody else is at work in it', async () => {
  await withBundle(async ({ rootfs, bundle }) => {
    const holder = fs.openSync(bundle, 'r')
    expect(tryLock(holder, 'exclusive')).toBe(true)
    const looked = diff({ bundle })
    await setTimeout(500)
    fs.writeFileSync(`${rootfs}/late`, '')
    fs.closeSync(holder)
    expect((await looked).map(({ path }) => path)).toContain('late')
  })
})

describe.runIf(needs('root'))('masks', () => {
  test('leave out a path with all below it, but not its parent', async () => {
    await withBundle(async ({ rootfs, repack }) => {
      fs.writeFileSync(`${rootfs}/d/new`, '')
      fs.writeFileSync(`${rootfs}/other`, '')
      const { lines } = await repack({ maskPaths: ['/d//../d/'] })
      expect(lines).toEqual(['directory .', 'file other'])
    })
  })

  test.each(['/', '.', '', '/..', 'd/..'])('of the root (%j) hide nothing', async (mask) => {
    await withBundle(async ({ rootfs, repack }) => {
      fs.writeFileSync(`${rootfs}/other`, '')
      const { lines } = await repack({ maskPaths: [mask] })
      expect(lines).toEqual(['directory .', 'file other'])
    })
  })

  test('hide volumes unless asked not to', async () => {
    const volumes = { config: { config: { Volumes: { '/volume': {} } } } }
    await withBundle(async ({ rootfs, bundle, repack }) => {
      fs.writeFileSync(`${rootfs}/volume/new`, '')
      expect((await repack()).layer).toBeUndefined()
      expect(await diff({ bundle })).toEqual([])
      expect((await repack({ maskVolumes: false })).lines).toContain('file volume/new')
    }, volumes)
  })

  test('hide volumes however their paths are written, and nothing else', async () => {
    const volumes = { config: { config: { Volumes: { 'volume/': {}, '': {}, '/': {} } } } }
    await withBundle(async ({ rootfs, bundle, repack }) => {
      fs.writeFileSync(`${rootfs}/volume/new`, '')
      fs.writeFileSync(`${rootfs}/other`, '')
      expect((await diff({ bundle })).map(({ path }) => path)).toEqual(['.', 'other'])
      expect((await repack()).lines).toEqual(['directory .', 'file other'])
    }, volumes)
  })

  test.runIf(needs('root', 'mounts'))(
    'do not help against /proc: it must not be mounted',
    async () => {
      await withBundle(async ({ rootfs, bundle, repack }) => {
        fs.mkdirSync(`${rootfs}/proc`)
        ok('mount', '-t', 'proc', 'proc', `${rootfs}/proc`)
        try {
          const busy = { code: 'BUNDLE_BUSY', facts: { path: fs.realpathSync(`${rootfs}/proc`) } }
          await expect(diff({ bundle })).rejects.toMatchObject(busy)
          await expect(repack({ maskPaths: ['/proc'] })).rejects.toMatchObject(busy)
        } finally {
          ok('umount', '-l', `${rootfs}/proc`)
        }
        expect((await diff({ bundle })).map(({ path }) => path)).toEqual(['.', 'proc'])
      })
    }
  )

  test('keep the masked names of a file that has others', async () => {
    await withBundle(async ({ rootfs, repack }) => {
      fs.appendFileSync(`${rootfs}/d/g`, 'more')
      const { lines } = await repack({ maskPaths: ['volume'] })
      expect(lines).toEqual(['file d/g', 'hardlink d/h -> d/g'])
    })
  })
})

describe.runIf(needs('root'))('a bundle that was copied', () => {
  const COPIES: readonly [string, (from: string, to: string) => void][] = [
    ['by cp -a', (from, to) => void ok('cp', '-a', from, to)],
    [
      'by a tar that keeps whole seconds',
      (from, to) => {
        fs.mkdirSync(to)
        execFileSync('sh', ['-c', `tar -C ${from} --format=gnu -cf - . | tar -C ${to} -xpf -`])
      }
    ],
    [
      'to another file system',
      (from, to) => {
        const elsewhere = fs.mkdtempSync('/dev/shm/oci-unpack-')
        fs.rmSync(to, { recursive: true, force: true })
        ok('cp', '-a', from, `${elsewhere}/copy`)
        fs.symlinkSync(`${elsewhere}/copy`, to)
      }
    ]
  ]

  test.each(COPIES)('%s has nothing to repack', async (_name, copy) => {
    await withCopy(copy, async ({ repack }) => {
      expect((await repack()).layer).toBeUndefined()
    })
  })

  test.each(COPIES)('%s shows an edit of the same size and second', async (_name, copy) => {
    await withCopy(copy, async ({ rootfs, repack }) => {
      const { atime, mtime } = fs.lstatSync(`${rootfs}/d/f`)
      fs.writeFileSync(`${rootfs}/d/f`, 'CONTENT', { flag: 'r+' })
      fs.utimesSync(`${rootfs}/d/f`, atime, mtime)
      expect((await repack()).lines).toEqual(['file d/f'])
    })
  })

  test('shows a time that was changed within the second', async () => {
    await withCopy(COPIES[2]![1], async ({ rootfs, repack }) => {
      setTimes(AT_FDCWD, `${rootfs}/d/f`, NANOSECONDS, { ...NANOSECONDS, nsec: 5 })
      expect((await repack()).lines).toEqual(['file d/f'])
    })
  })

  const NANOSECONDS = { sec: 1_000_000_000, nsec: 123_456_789 }

  /** Of a bundle with a big directory and a time in nanoseconds. */
  async function withCopy(
    copy: (from: string, to: string) => void,
    act: (small: SmallBundle) => Promise<void>
  ): Promise<void> {
    await withBundle(async (small) => {
      const { work, bundle, rootfs, repack } = small
      for (let i = 0; i < 300; i++) fs.writeFileSync(`${rootfs}/d/${'n'.repeat(200)}${i}`, '')
      for (let i = 0; i < 300; i++) fs.rmSync(`${rootfs}/d/${'n'.repeat(200)}${i}`)
      setTimes(AT_FDCWD, `${rootfs}/d/f`, NANOSECONDS, NANOSECONDS)
      await repack({ refreshBundle: true })
      copy(bundle, `${work}/copy`)
      const path = fs.realpathSync(`${work}/copy`)
      try {
        await act({
          ...small,
          bundle: path,
          rootfs: `${path}/rootfs`,
          repack: (more) => repack({ bundle: path, ...more })
        })
      } finally {
        if (path.startsWith('/dev/shm/oci-unpack-'))
          fs.rmSync(dirname(path), { recursive: true, force: true })
      }
    })
  }
})

describe.runIf(needs('root'))('what a layer holds', () => {
  test('a directory that lost and won entries but has its time again needs no entry', async () => {
    await withBundle(async ({ rootfs, repack }) => {
      quietly(`${rootfs}/d`, () => fs.mkdirSync(`${rootfs}/d/new`))
      expect((await repack()).lines).toEqual(['directory d/new/'])
    })
  })

  test('a directory that became a link is no place for whiteouts of what it held', async () => {
    await withBundle(async ({ rootfs, repack }) => {
      fs.renameSync(`${rootfs}/d`, `${rootfs}/moved`)
      fs.symlinkSync('moved', `${rootfs}/d`)
      const { lines } = await repack()
      expect(lines.filter((line) => line.includes('.wh.'))).toEqual([])
      expect(lines).toContain('symlink d -> moved')
    })
  })

  test('names that changed partners come as their new pairs, though nothing else tells of it', async () => {
    const pairs = tar(
      directory('p/'),
      file('p/a', 'same'),
      hardlink('p/b', 'p/a'),
      file('p/c', 'same'),
      hardlink('p/d', 'p/c')
    )
    await withBundle(
      async ({ rootfs, repack }) => {
        const p = `${rootfs}/p`
        quietly(p, () => {
          fs.renameSync(`${p}/b`, `${p}/x`)
          fs.renameSync(`${p}/d`, `${p}/b`)
          fs.renameSync(`${p}/x`, `${p}/d`)
        })
        expect((await repack()).lines).toEqual([
          'file p/a',
          'file p/b',
          'hardlink p/c -> p/b',
          'hardlink p/d -> p/a'
        ])
      },
      { layers: [pairs] }
    )
  })

  test('an attribute without a value is warned of and left out', async () => {
    await withBundle(async ({ rootfs, repack }) => {
      setXattr(AT_FDCWD, `${rootfs}/d/f`, 'trusted.empty', '')
      const { warnings, entries } = await repack()
      expect(warnings).toEqual([
        'A layer cannot hold an extended attribute without a value, so it is left out. d/f'
      ])
      expect(entries.map(({ entry }) => entry.xattrs)).toEqual([[]])
    })
  })

  test.each([
    ['seconds', { sec: 2, nsec: 0 }],
    ['nanoseconds', { sec: 2, nsec: 123_456_789 }]
  ] as const)('times are written in %s', async (timePrecision, mtime) => {
    await withBundle(async ({ rootfs, repack }) => {
      setTimes(AT_FDCWD, `${rootfs}/d/f`, mtime, { sec: 2, nsec: 123_456_789 })
      expect((await repack({ timePrecision })).entries[0]!.entry.mtime).toEqual(mtime)
    })
  })

  test('no time is later than SOURCE_DATE_EPOCH, and history has that date', async () => {
    await withBundle(async ({ rootfs, layout, repack }) => {
      fs.writeFileSync(`${rootfs}/d/new`, '')
      fs.utimesSync(`${rootfs}/d/new`, 5, 5)
      const { entries, manifestDigest } = await repack({ sourceDateEpoch: 10 })
      expect(entries.map(({ entry }) => [entry.name, entry.mtime.sec])).toEqual([
        ['d/', 10],
        ['d/new', 5]
      ])
      expect(history(layout, manifestDigest)).toMatchObject([{ created: '1970-01-01T00:00:10Z' }])
    })
  })

  test('the bytes do not depend on the number of jobs', async () => {
    await withBundle(async ({ rootfs, repack }) => {
      fs.writeFileSync(`${rootfs}/d/big`, Buffer.alloc(5 << 20, 'not very random'))
      const digests = new Set<string>()
      for (let jobs = 1; jobs <= 8; jobs++) digests.add((await repack({ jobs })).layer!.digest)
      expect(digests.size).toBe(1)
    })
  })
})

describe.runIf(needs('root'))('history', () => {
  test.each<[string, object, object[]]>([
    ['has an entry', {}, [{ created_by: 'oci-unpack repack', author: 'A' }]],
    ['has none where none is wanted', { history: false }, []],
    [
      'says what it is told',
      {
        history: { author: 'B', comment: 'C', createdBy: 'D', created: '2020-01-02T03:04:05+01:00' }
      },
      [{ author: 'B', comment: 'C', created_by: 'D', created: '2020-01-02T03:04:05+01:00' }]
    ]
  ])('%s', async (_name, options, expected) => {
    await withBundle(
      async ({ rootfs, layout, repack }) => {
        fs.writeFileSync(`${rootfs}/new`, '')
        const { manifestDigest } = await repack(options)
        const entries = history(layout, manifestDigest)
        expect(entries).toHaveLength(expected.length)
        expect(entries).toMatchObject(expected)
        expect(entries.some((entry) => 'empty_layer' in entry)).toBe(false)
      },
      { config: { author: 'A' } }
    )
  })

  test('marks an entry without a layer', async () => {
    await withBundle(async ({ layout, repack }) => {
      const { manifestDigest, layer } = await repack()
      expect(layer).toBeUndefined()
      expect(history(layout, manifestDigest)).toMatchObject([{ empty_layer: true }])
    })
  })

  test('a repack of nothing without history is the image itself', async () => {
    await withBundle(async ({ bundle, image, repack }) => {
      const { manifestDigest } = await repack({ history: false, refreshBundle: true })
      expect(manifestDigest).toBe(image.manifest.digest)
      const metadata = fs.readFileSync(`${bundle}/umoci.json`, 'utf8')
      expect(metadata).toContain('"org.opencontainers.image.ref.name":"new"')
      expect((await repack()).layer).toBeUndefined()
    })
  })
})

function history(layout: string, manifestDigest: string): object[] {
  const read = (digest: string): Record<string, unknown> =>
    JSON.parse(fs.readFileSync(`${layout}/blobs/${digest.replace(':', '/')}`, 'utf8')) as Record<
      string,
      unknown
    >
  const { digest } = read(manifestDigest)['config'] as { digest: string }
  return (read(digest)['history'] ?? []) as object[]
}
