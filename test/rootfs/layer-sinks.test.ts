/** What every sink keeps to, whatever it makes of a layer. */
import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { EntryRules } from '../../src/plan/plan-entry.ts'
import type { StagedEntry } from '../../src/plan/staged-entry.ts'
import { TarReader, type TarLimits } from '../../src/tar/reader.ts'
import { streamHash } from '../../src/sys/sha256.ts'
import { BodyDigests, hashPieces } from '../../src/worker/body-digests.ts'
import { chunkAround } from '../../src/worker/line-memory.ts'
import { LayerEntries } from '../../src/worker/layer-entries.ts'
import { openSink, type SinkDescription } from '../../src/worker/sinks.ts'
import { failure } from '../support/failure.ts'
import { withScratch } from '../support/open-directory.ts'
import { char, directory, fifo, file, hardlink, symlink, tar } from '../support/tar-builder.ts'

const ignore = (): void => undefined

const KINDS: readonly [string, (fd: number) => SinkDescription][] = [
  ['staging', (fd) => ({ kind: 'staging', place: { directory: fd, path: '' }, digests: false })],
  ['index', () => ({ kind: 'index' })],
  [
    'erofs',
    (fd) => ({
      kind: 'erofs',
      directory: fd,
      name: 'i',
      uuid: Buffer.alloc(16),
      isThere: false,
      digests: false
    })
  ],
  ['digests', () => ({ kind: 'digests', paths: new Set(['d/a']), bodies: new Set([1024]) })],
  ['bodies', (fd) => ({ kind: 'bodies', directory: fd, wanted: new Map([[1024, 'first']]) })]
]

const OWN = { uid: process.geteuid!(), gid: process.getegid!() }
const LAYER = tar(
  directory('./d/', OWN),
  file('d/a', 'one', OWN),
  file('/d/a', 'two', OWN),
  file('d/.wh.gone'),
  file('d/.wh..wh..opq'),
  symlink('l\xff\n', '../d', OWN),
  hardlink('h', './d/a'),
  fifo('p', OWN),
  file('d/a/below', 'three', OWN)
)

/** In the middle of the first body. */
const CUT = 1026

describe.each(KINDS)('a sink for %s', (_kind, describeFor) => {
  test('passes every entry on, in order, with clean names and the layer’s own repetitions', () => {
    expect(read(describeFor, LAYER).map(({ type, path, link }) => [type, path, link])).toEqual([
      ['directory', 'd', ''],
      ['file', 'd/a', ''],
      ['file', 'd/a', ''],
      ['whiteout', 'd/gone', ''],
      ['opaque', 'd', ''],
      ['symlink', 'l\xff\n', '../d'],
      ['hardlink', 'h', 'd/a'],
      ['fifo', 'p', ''],
      ['file', 'd/a/below', '']
    ])
  })

  test('takes a body in pieces of any size, and an empty layer', () => {
    expect(read(describeFor, LAYER, { chunk: 100 })).toHaveLength(9)
    expect(read(describeFor, tar())).toEqual([])
  })

  test('stops at an entry that cannot be, and names it', () => {
    const bad = tar(file('a', '', OWN), char('dev', 0x1000, 0, OWN))
    expect(failure(() => read(describeFor, bad))).toMatchObject({
      code: 'ENTRY_INVALID',
      facts: { entry: 'dev' }
    })
    expect(failure(() => read(describeFor, LAYER.subarray(0, CUT)))).toMatchObject({
      code: 'TAR_INVALID'
    })
  })

  test('keeps to the limits of names and headers', () => {
    const long = tar(file('n'.repeat(200), '', OWN))
    const rules = { maxPathBytes: 100 }
    expect(failure(() => read(describeFor, long, { rules }))).toMatchObject({
      code: 'LIMIT_EXCEEDED'
    })
    expect(failure(() => read(describeFor, long, { limits: { paxBytes: 10 } }))).toMatchObject({
      code: 'LIMIT_EXCEEDED'
    })
  })

  test('holds no descriptor when it is closed, whatever happened', () => {
    const before = openDescriptors()
    read(describeFor, LAYER)
    failure(() => read(describeFor, LAYER.subarray(0, CUT)))
    failure(() => read(describeFor, tar(file('a', 'x', OWN), char('dev', 0x1000, 0, OWN))))
    expect(openDescriptors()).toBe(before)
  })
})

describe('an index', () => {
  test('says where each body lies, and of a sparse file which parts it has', () => {
    const map = '2\n0\n3\n10\n3\n'.padEnd(512, '\0')
    const layer = tar(
      file('a', 'one', OWN),
      file('s', `${map}abcxyz`, {
        ...OWN,
        pax: {
          'GNU.sparse.major': '1',
          'GNU.sparse.minor': '0',
          'GNU.sparse.name': 'sparse',
          'GNU.sparse.realsize': '20'
        }
      })
    )
    const [plain, sparse] = read(() => ({ kind: 'index' }), layer)
    expect(bodyAt(layer, plain!.body!, 3)).toBe('one')
    expect(sparse).toMatchObject({ path: 'sparse', size: 20, extents: [0, 3, 10, 3] })
    expect(bodyAt(layer, sparse!.body!, 6)).toBe('abcxyz')
  })

  test('gives every entry a place of its own, empty ones too', () => {
    const places = read(() => ({ kind: 'index' }), LAYER).map(({ body }) => body)
    expect(new Set(places).size).toBe(places.length)
  })
})

test('bodies are only those that were asked for, each under its new name', () => {
  withScratch((fd, path) => {
    const entries = read(() => ({ kind: 'index' }), LAYER)
    const wanted = new Map([[entries[2]!.body!, '7']])
    feed({ kind: 'bodies', directory: fd, wanted }, LAYER)
    expect(readdirSync(path)).toEqual(['7'])
  })
})

test('digests are those of the bodies that were asked for by name or by place, holes included', () => {
  const map = '1\n3\n3\n'.padEnd(512, '\0')
  const sparse = { 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.name': 's' }
  const layer = tar(
    file('a', 'one', OWN),
    file('b', 'two', OWN),
    file('c', 'three', OWN),
    file('s', `${map}abc`, { ...OWN, pax: { ...sparse, 'GNU.sparse.realsize': '8' } }),
    file('e', '', OWN)
  )
  const [first] = read(() => ({ kind: 'index' }), layer)
  const wanted = { paths: new Set(['c', 's', 'e']), bodies: new Set([first!.body!]) }
  const found = read(() => ({ kind: 'digests', ...wanted }), layer)
  expect(found.map(({ path, sha256 }) => [path, sha256])).toEqual([
    ['a', sha256('one')],
    ['b', undefined],
    ['c', sha256('three')],
    ['s', sha256('\0\0\0abc\0\0')],
    ['e', sha256('')]
  ])
})

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('binary')
}

interface ReadOptions {
  chunk?: number
  rules?: Partial<EntryRules>
  limits?: Partial<TarLimits>
}

function read(
  describeFor: (fd: number) => SinkDescription,
  layer: Buffer,
  options: ReadOptions = {}
): StagedEntry[] {
  return withScratch((fd) => feed(describeFor(fd), layer, options))
}

function feed(
  description: SinkDescription,
  layer: Buffer,
  { chunk = layer.length, rules, limits }: ReadOptions = {}
): StagedEntry[] {
  const entries: StagedEntry[] = []
  const policy = { kind: 'exact', uidMap: [], gidMap: [] } as const
  const sink = openSink(description, { lostXattr: ignore, holes: ignore })
  try {
    const add = (entry: StagedEntry): void => void entries.push(entry)
    const bodies = new BodyDigests({ entry: add, holes: ignore })
    const members = new LayerEntries({ policy, maxPathBytes: 4095, ...rules }, sink, add, bodies)
    const reader = new TarReader(members, limits)
    const hash = streamHash('sha256')
    for (let at = 0; at < layer.length; at += chunk) {
      const bytes = chunkAround(Buffer.from(layer.subarray(at, at + chunk)))
      bodies.begin(bytes, (pieces) => hashPieces(bytes, pieces, hash, hash, ignore))
      reader.push(bytes.bytes)
      hashPieces(bytes, bodies.parse(), hash, hash, ignore)
      bodies.take(bytes)
    }
    reader.finish()
    return entries
  } finally {
    sink.close()
  }
}

function bodyAt(layer: Buffer, at: number, length: number): string {
  return layer.toString('latin1', at, at + length)
}

function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length
}
