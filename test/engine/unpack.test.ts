import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import * as fs from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { EngineEvent, UnpackLimits } from '../../src/index.ts'
import { library } from '../support/dist.ts'
import { directory, file, symlink, tar } from '../support/tar-builder.ts'
import { codeOf, inScratch, optionsFor, recorder } from './support.ts'

const LOWER = tar(directory('etc/'), file('etc/a', 'one'), file('b', 'two'))
const UPPER = tar(file('etc/.wh.a'), file('c', 'three'))
const BIG = tar(file('big', randomBytes(24 << 20)), file('small', 'x'))

describe('events', () => {
  test.each([0, 2])('come in the documented order, with %i threads', (jobs) =>
    inScratch(async (work) => {
      const { events, onEvent } = recorder()
      const options = optionsFor(work, [LOWER, UPPER])
      await library.unpack({ ...options, jobs, onEvent })
      const order = events.map(label).filter((name) => !['progress', 'choice'].includes(name))
      expect([order[0], ...order.slice(1, 3).sort(), ...order.slice(3)]).toEqual([
        'image',
        'layer 0',
        'layer 1',
        'join',
        'manifest',
        'publish'
      ])
      const last = events.findLastIndex(({ type }) => type === 'progress')
      expect(label(events[last + 1]!)).toBe('join')
    })
  )

  test('carry counts that never go back and end at the truth', () =>
    inScratch(async (work) => {
      const { events, onEvent } = recorder()
      await library.unpack({ ...optionsFor(work, [BIG, LOWER]), jobs: 2, onEvent })
      const reports = events.flatMap((event) => (event.type === 'progress' ? [event.layers] : []))
      for (const [index, report] of reports.entries())
        for (const [layer, counters] of report.entries())
          for (const key of ['read', 'unpacked', 'entries'] as const)
            expect(counters[key]).toBeGreaterThanOrEqual(reports[index - 1]?.[layer]?.[key] ?? 0)
      const image = events.find((event) => event.type === 'image')
      expect(reports.at(-1)).toMatchObject([
        { read: image?.layers[0]?.size, unpacked: BIG.length, entries: 2 },
        { read: image?.layers[1]?.size, unpacked: LOWER.length, entries: 3 }
      ])
      const rates = events.flatMap((it) => (it.type === 'progress' ? [it.bytesPerSecond] : []))
      expect(Math.max(...rates)).toBeGreaterThan(0)
    }))

  test('are not the fault of a layer if the caller throws', () =>
    inScratch(async (work) => {
      const own = new library.OciUnpackError('USAGE', 'The caller has an error of its own.')
      const onEvent = ({ type }: EngineEvent): void => {
        if (type === 'layer') throw own
      }
      const done = library.unpack({ ...optionsFor(work, [LOWER]), onEvent })
      const error = await done.catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ code: 'USAGE', message: own.message })
      expect((error as typeof own).facts).not.toHaveProperty('layer')
    }))

  test('of the root file system alone leave out what is not done', () =>
    inScratch(async (work) => {
      const { events, onEvent } = recorder()
      await library.unpackRootfs({ ...optionsFor(work, [LOWER]), onEvent })
      const phases = events.filter(({ type }) => type === 'phase').map(label)
      expect(phases).toEqual(['join'])
    }))

  test('warn of an attribute that cannot be had, once for a name in a layer', () =>
    inScratch(async (work) => {
      const { events, onEvent } = recorder()
      const pax = { 'SCHILY.xattr.user.u': 'v' }
      const links = tar(symlink('a', 'x', { pax }), symlink('b', 'x', { pax }))
      await library.unpack({ ...optionsFor(work, [links]), onEvent })
      const warnings = events.filter(({ type }) => type === 'warning')
      expect(warnings).toMatchObject([{ facts: { entry: 'a', found: 'user.u' } }])
    }))
})

describe('an attribute that the file system cannot hold', () => {
  test.each([
    ['20 kB, which ext4 cannot hold', { 'SCHILY.xattr.user.big': 'x'.repeat(20_000) }],
    ['100 kB, which Linux cannot hold', { 'SCHILY.xattr.user.big': 'x'.repeat(100_000) }],
    ['a name of 300 bytes', { [`SCHILY.xattr.user.${'n'.repeat(300)}`]: 'x' }]
  ])('is a warning, not an error: %s', (what, pax) =>
    inScratch(async (work) => {
      const { events, onEvent } = recorder()
      const layer = tar(directory('d/', { pax }), file('f', 'body', { pax }))
      await library.unpackRootfs({ ...optionsFor(work, [layer]), onEvent })
      expect(fs.readFileSync(`${work}/made/f`, 'latin1')).toBe('body')
      const lost = events.filter(({ type }) => type === 'warning').length
      expect(lost).toBeGreaterThan(what.startsWith('20 kB') ? -1 : 0)
    })
  )
})

describe('an AbortSignal', () => {
  test('that is raised already stops before anything is made', () =>
    inScratch(async (work) => {
      const options = optionsFor(work, [LOWER])
      const stopped = library.unpack({ ...options, signal: AbortSignal.abort() })
      expect(await codeOf(stopped)).toBe('ABORTED')
      expect(fs.readdirSync(work)).toEqual(['layout'])
    }))

  test.each([0, 2])('in the middle leaves nothing behind, with %i threads', (jobs) =>
    inScratch(async (work) => {
      const controller = new AbortController()
      const options = optionsFor(work, [BIG, LOWER, BIG])
      const onEvent = (event: EngineEvent): void => {
        if (event.type === 'layer') controller.abort()
      }
      const stopped = library.unpack({ ...options, jobs, onEvent, signal: controller.signal })
      expect(await codeOf(stopped)).toBe('ABORTED')
      expect(fs.readdirSync(work)).toEqual(['layout'])
    })
  )
})

/** A file that is nothing but a hole. */
function sparse(size: number): Buffer {
  const pax = { 'GNU.sparse.size': String(size), 'GNU.sparse.numblocks': '0', 'GNU.sparse.map': '' }
  return tar(file('disk', '', { pax }))
}

/** What SHA-256 makes of zeros after other data has to be found out. */
function afterData(size: number): Buffer {
  const map = { 'GNU.sparse.numblocks': '1', 'GNU.sparse.map': '0,1' }
  return tar(file('disk', 'x', { pax: { 'GNU.sparse.size': String(size), ...map } }))
}

describe('a limit', () => {
  const LIMITS: readonly [keyof UnpackLimits, number, number][] = [
    ['entries', 3, 4],
    ['unpackedBytes', LOWER.length - 1, LOWER.length],
    ['pathBytes', 4, 5],
    ['jsonBytes', 100, 4000],
    ['paxBytes', 10, 40]
  ]
  const image = tar(
    directory('etc/'),
    file('etc/a', 'one'),
    file('b'),
    file('c', '', { pax: { comment: 'x' } })
  )

  test.each(LIMITS)('of %s holds at %i and not at %i', (name, low, high) =>
    inScratch(async (work) => {
      const bytes = name === 'unpackedBytes' ? LOWER : image
      const options = optionsFor(work, [bytes])
      const unpack = (value: number): Promise<unknown> =>
        library.unpack({ ...options, limits: { [name]: value } })
      expect(await codeOf(unpack(low))).toBe('LIMIT_EXCEEDED')
      expect(fs.readdirSync(work)).toEqual(['layout'])
      expect(await codeOf(unpack(high))).toBe('no failure')
    })
  )

  test('of the ratio holds for a layer of zeros', () =>
    inScratch(async (work) => {
      const options = optionsFor(work, [tar(file('zeros', Buffer.alloc(70 << 20)))])
      const limited = library.unpack({ ...options, limits: { ratio: 100 } })
      expect(await codeOf(limited)).toBe('LIMIT_EXCEEDED')
      expect(await codeOf(library.unpack(options))).toBe('no failure')
    }))

  test('of the ratio lets pass what repack makes of a large file of zeros', () =>
    inScratch(async (work) => {
      const zeros = tar(file('zeros', Buffer.alloc(70 << 20)))
      const blob = execFileSync('zstd', ['-q'], { input: zeros })
      const mediaType = 'application/vnd.oci.image.layer.v1.tar+zstd'
      expect(zeros.length / blob.length).toBeGreaterThan(5000)
      const options = optionsFor(work, { layers: [{ tar: zeros, blob, mediaType }] })
      expect(await codeOf(library.unpack(options))).toBe('no failure')
    }))

  test.each([
    ['900 GB', 9e11, 'limits.ratio'],
    ['8 TiB', 2 ** 43, 'limits.unpackedBytes']
  ])('holds at once for a hole of %s, which is not hashed', (_size, size, hint) =>
    inScratch(async (work) => {
      const options = optionsFor(work, [sparse(size)])
      await expect(library.unpack(options)).rejects.toMatchObject({
        code: 'LIMIT_EXCEEDED',
        facts: { entry: 'disk' },
        hint: expect.stringContaining(hint) as string
      })
      expect(fs.readdirSync(work)).toEqual(['layout'])
    })
  )

  test('does not count holes that are not hashed: a disk of 900 GB is unpacked at once', () =>
    inScratch(async (work) => {
      const options = optionsFor(work, [sparse(9e11)])
      await library.unpackRootfs({ ...options, destination: `${work}/rootfs` })
      expect(fs.statSync(`${work}/rootfs/disk`).size).toBe(9e11)
    }))

  test('and a signal end the hashing of a hole', () =>
    inScratch(async (work) => {
      const options = optionsFor(work, [afterData(100e9)])
      const stopped = library.unpack({ ...options, signal: AbortSignal.timeout(300) })
      expect(await codeOf(stopped)).toBe('ABORTED')
    }))

  test.each([
    { entries: -1 },
    { ratio: 0.5 },
    { unpackedBytes: NaN },
    { paxBytes: Infinity },
    { jsonBytes: -5 }
  ])('that is no count is refused: %o', (limits) =>
    inScratch(async (work) => {
      const options = optionsFor(work, [LOWER])
      expect(await codeOf(library.unpack({ ...options, limits }))).toBe('USAGE')
    })
  )
})

describe('a destination', () => {
  test('with part of a bundle is refused and untouched', () =>
    inScratch(async (work) => {
      const options = optionsFor(work, [LOWER])
      for (const name of ['rootfs', 'config.json', 'umoci.json']) {
        fs.mkdirSync(`${work}/made/${name}`, { recursive: true })
        expect(await codeOf(library.unpack(options))).toBe('BUNDLE_EXISTS')
        expect(fs.readdirSync(`${work}/made`)).toEqual([name])
        fs.rmSync(`${work}/made`, { recursive: true })
      }
    }))

  test('that exists and is empty is filled', () =>
    inScratch(async (work) => {
      const options = optionsFor(work, [LOWER, UPPER])
      fs.mkdirSync(options.destination)
      const { destination, manifestDigest } = await library.unpack(options)
      expect(destination).toBe(options.destination)
      const hex = manifestDigest.replace(':', '_')
      expect(fs.readdirSync(destination).sort()).toEqual([
        'config.json',
        'rootfs',
        `${hex}.fingerprints`,
        `${hex}.mtree`,
        'umoci.json'
      ])
      expect(fs.readdirSync(`${destination}/rootfs`, { recursive: true }).sort()).toEqual([
        'b',
        'c',
        'etc'
      ])
    }))

  test('below a file is a failed call, not a defect', () =>
    inScratch(async (work) => {
      fs.writeFileSync(`${work}/file`, '')
      const options = { ...optionsFor(work, [LOWER]), destination: `${work}/file/bundle` }
      expect(await codeOf(library.unpack(options))).toBe('SYSCALL_FAILED')
      expect(await codeOf(library.unpackRootfs(options))).toBe('SYSCALL_FAILED')
    }))

  test('may not be empty text', () =>
    inScratch(async (work) => {
      const options = { ...optionsFor(work, [LOWER]), destination: '' }
      expect(await codeOf(library.unpack(options))).toBe('USAGE')
    }))
})

test('a failure names the image and the layer', () =>
  inScratch(async (work) => {
    const options = optionsFor(work, [LOWER, tar(file('.: no'), symlink('.', 'x'))])
    await expect(library.unpack(options)).rejects.toMatchObject({
      code: 'ENTRY_INVALID',
      facts: { image: options.image, layer: expect.stringMatching(/^2 /) as unknown }
    })
  }))

function label(event: EngineEvent): string {
  if (event.type === 'phase') return event.phase
  return event.type === 'layer' ? `layer ${event.layer}` : event.type
}
