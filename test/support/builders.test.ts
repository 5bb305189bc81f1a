import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { buildImage } from './image-builder.ts'
import { needs } from './requires.ts'
import { ok } from './run.ts'
import { directory, fifo, file, hardlink, symlink, tar } from './tar-builder.ts'
import { withTemporary } from './temporary.ts'

const LONG = `${'d/'.repeat(200)}file`

describe.runIf(needs('tar'))('tar builder', () => {
  test('writes what GNU tar reads', () => {
    withTemporary((work) => {
      const layer = tar(
        directory('d/', { mode: 0o2750, uid: 3_000_000 }),
        file(LONG, 'body', { mtime: -1, pax: { 'SCHILY.xattr.user.a': '\xff\0' } }),
        symlink('s', 'to'),
        hardlink('h', LONG),
        fifo('f')
      )
      writeFileSync(`${work}/tar`, layer)
      const list = ok('tar', 'tvf', `${work}/tar`, '--numeric-owner', '--utc').stdout
      expect(list.replace(/ +/g, ' ').trimEnd().split('\n')).toEqual([
        'drwxr-s--- 3000000/0 0 1970-01-01 00:00 d/',
        `-rw-r--r-- 0/0 4 1969-12-31 23:59 ${LONG}`,
        'lrwxrwxrwx 0/0 0 1970-01-01 00:00 s -> to',
        `hrw-r--r-- 0/0 0 1970-01-01 00:00 h link to ${LONG}`,
        'prw-r--r-- 0/0 0 1970-01-01 00:00 f'
      ])
    })
  })
})

describe.runIf(needs('root', 'umoci'))('image builder', () => {
  test('writes what umoci unpacks', () => {
    withTemporary((work) => {
      const { reference } = buildImage(`${work}/layout`, {
        layers: [tar(file('a', 'one')), tar(file('a', 'two'))]
      })
      ok('umoci', 'unpack', '--image', reference, `${work}/bundle`)
      expect(readFileSync(`${work}/bundle/rootfs/a`, 'utf8')).toBe('two')
    })
  })
})
