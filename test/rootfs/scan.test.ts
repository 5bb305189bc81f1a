import { chmodSync, lutimesSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { describe, expect, test } from 'vitest'
import type { ManifestEntry } from '../../src/mtree/entry.ts'
import { fileStat } from '../../src/bundle/file-stat.ts'
import { scan } from '../../src/rootfs/scan.ts'
import { AT_FDCWD } from '../../src/sys/files.ts'
import { setXattr } from '../../src/sys/metadata.ts'
import { withOpen, withScratch } from '../support/open-directory.ts'
import { needs } from '../support/requires.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'

const nothing = (): undefined => undefined

describe('scan', () => {
  test('lists parents before children, by bytes, the root as a dot', () => {
    withScratch((fd, root) => {
      mkdirSync(`${root}/b`)
      writeFileSync(`${root}/b/x`, '')
      writeFileSync(Buffer.from(`${root}/\xff`, 'latin1'), '')
      mkdirSync(`${root}/b-c`)
      expect(scan(fd, nothing).map(({ entry }) => entry.path)).toEqual([
        '.',
        'b',
        'b-c',
        '\xff',
        'b/x'
      ])
    })
  })

  test('gives what a manifest lists, and no digest', () => {
    withScratch((fd, root) => {
      writeFileSync(`${root}/file`, 'content')
      chmodSync(`${root}/file`, 0o4711)
      utimesSync(`${root}/file`, 5, 1_000_000_000)
      symlinkSync('target', `${root}/link`)
      lutimesSync(`${root}/link`, 5, 7)
      const entries = new Map(scan(fd, nothing).map(({ entry }) => [entry.path, entry]))
      expect(entries.get('file')).toMatchObject({
        type: 'file',
        size: 7,
        mode: 0o4711,
        nlink: 1,
        mtimeSec: 1_000_000_000,
        sha256: undefined,
        link: undefined
      })
      expect(entries.get('link')).toMatchObject({ type: 'link', link: 'target', mtimeSec: 7 })
    })
  })

  test('takes the remembered entry of what did not change, and says so', () => {
    withScratch((fd, root) => {
      writeFileSync(`${root}/a`, '')
      writeFileSync(`${root}/b`, '')
      const memory = { path: 'a', sha256: 'remembered' } as ManifestEntry
      const found = scan(fd, (path) => (path === 'a' ? memory : undefined))
      expect(found.filter(({ isRemembered }) => isRemembered).map(({ entry }) => entry)).toEqual([
        memory
      ])
    })
  })

  test.runIf(needs('root'))('sees attributes of a link in its fingerprint', () => {
    withScratch((fd, root) => {
      symlinkSync('target', `${root}/link`)
      const size = (): number => {
        const { status, unlisted } = scan(fd, nothing)[1]!
        return fileStat(status, unlisted).size
      }
      const without = size()
      setXattr(AT_FDCWD, `${root}/link`, 'trusted.a', '1')
      const one = size()
      setXattr(AT_FDCWD, `${root}/link`, 'trusted.a', '2')
      expect(new Set([without, one, size()]).size).toBe(3)
    })
  })

  test('lists sockets as what they are', async () => {
    const root = makeTemporary()
    const server = createServer()
    try {
      await new Promise<void>((done) => server.listen(`${root}/socket`, done))
      const types = withOpen(root, (fd) => scan(fd, nothing).map(({ entry }) => entry.type))
      expect(types).toEqual(['dir', 'socket'])
    } finally {
      server.close()
      removeTemporary(root)
    }
  })
})
