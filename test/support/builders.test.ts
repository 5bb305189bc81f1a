import { readFileSync, writeFileSync } from 'node:fs'
import { gunzipSync, inflateRawSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { estargz } from './estargz.ts'
import { buildImage } from './image-builder.ts'
import { noise } from './noise.ts'
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

describe('eStargz builder', () => {
  const body = noise(9 * 2 ** 20)
  const { tar: content, blob } = estargz(directory('d'), file('d/f', body), file('empty'))

  test('writes one gzip stream, whose footer leads to every chunk of a file', () => {
    expect(gunzipSync(blob!).equals(content)).toBe(true)
    const [, tocAt] = /^\x1f\x8b\x08\x04.{6}\x1a\0SG\x16\0([0-9a-f]{16})STARGZ/s.exec(
      blob!.toString('latin1', blob!.length - 51)
    )!
    const entry = memberAt(Number.parseInt(tocAt!, 16))
    expect(entry.toString('latin1', 0, 18)).toBe('stargz.index.json\0')
    const json = entry.toString('utf8', 512).replace(/\0+$/, '')
    const { entries } = JSON.parse(json) as { entries: { name: string; offset?: number }[] }
    expect(entries.map(({ name }) => name)).toEqual([
      ...['.no.prefetch.landmark', 'd', 'd/f', 'd/f', 'd/f', 'empty']
    ])
    const chunks = entries.filter(({ name }) => name === 'd/f')
    const found = Buffer.concat(chunks.map(({ offset }) => memberAt(offset!)))
    expect(found.equals(body)).toBe(true)
  })

  /** Only the member that begins there. */
  function memberAt(offset: number): Buffer {
    return inflateRawSync(blob!.subarray(offset + 10))
  }
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
