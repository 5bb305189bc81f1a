/** Files of images that are not unpacked: what strangers put into layers, and how little is read for an answer. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
  lstatSync
} from 'node:fs'
import { describe, expect, test } from 'vitest'
import { display, fromBuffer } from '../../src/bytes.ts'
import {
  catFile,
  extractFiles,
  listFiles,
  type EngineEvent,
  type ImageOptions
} from '../../src/index.ts'
import { blobPath, buildImage, type Image } from '../support/image-builder.ts'
import { needs } from '../support/requires.ts'
import { char, directory, fifo, file, hardlink, symlink, tar } from '../support/tar-builder.ts'
import { codeOf, inScratch } from './support.ts'

const root = needs('root')

describe('the files of an image', () => {
  test.each<[string, Buffer[], string[]]>([
    ['an image without layers', [], ['/']],
    ['no entry at all', [tar()], ['/']],
    [
      'odd names, and parents that nobody describes',
      [tar(file('./a\nb/\xff\x01', 'x'), file('/abs', 'y'))],
      ['/', '/a\\x0ab', '/a\\x0ab/\\xff\\x01', '/abs']
    ],
    [
      'whole directories that a layer above removes',
      [tar(file('d/x'), file('e/x')), tar(file('.wh.d'), file('e/.wh..wh..opq'), file('e/y'))],
      ['/', '/e', '/e/y']
    ],
    [
      'parents that a layer below has as links',
      [tar(directory('usr/lib'), symlink('lib', 'usr/lib')), tar(file('lib/x'))],
      ['/', '/lib', '/usr', '/usr/lib', '/usr/lib/x']
    ]
  ])('%s', async (_name, layers, expected) => {
    await inImage(layers, async (options) => {
      expect(await namesIn(options)).toEqual(expected)
    })
  })

  test('a hard link to a file that a layer above replaces is another file from there on', async () => {
    const layers = [
      tar(file('a', 'old'), hardlink('b', 'a')),
      tar(file('a', 'new'), hardlink('c', 'b'))
    ]
    await inImage(layers, async (options) => {
      const { files } = await listFiles(options)
      const shown = [...files].map(({ path, inode, links }) => [fromBuffer(path), inode, links])
      expect(shown).toEqual([
        ['/', 1, 1],
        ['/a', 2, 1],
        ['/b', 3, 2],
        ['/c', 3, 2]
      ])
      expect(await cat(options, 'c')).toBe('old')
      expect(await cat(options, 'a')).toBe('new')
    })
  })

  test('a path is listed with what is below it; a link at its end is listed itself', async () => {
    const layers = [tar(file('d/x'), symlink('l', 'd'))]
    await inImage(layers, async (options) => {
      expect(await namesIn({ ...options, path: '/d' })).toEqual(['/d', '/d/x'])
      expect(await namesIn({ ...options, path: 'l' })).toEqual(['/l'])
      expect(await namesIn({ ...options, path: 'l/' })).toEqual(['/d', '/d/x'])
      expect(await codeOf(listFiles({ ...options, path: 'd/x/y' }))).toBe('PATH_NOT_FOUND')
    })
  })

  test('of a damaged layer nothing is shown', async () => {
    const image = {
      layers: [
        tar(file('a', 'x')),
        { tar: tar(file('b', 'y')), diffId: `sha256:${'0'.repeat(64)}` }
      ]
    }
    await inImage(image, async (options) => {
      expect(await codeOf(listFiles(options))).toBe('DIFF_ID_MISMATCH')
      expect(await codeOf(cat(options, 'b'))).toBe('DIFF_ID_MISMATCH')
      expect(await codeOf(cat(options, 'a'))).toBe('DIFF_ID_MISMATCH')
    })
  })

  test('limits hold', async () => {
    await inImage([tar(file('a'), file('b')), tar(file('c'))], async (options) => {
      expect(await codeOf(listFiles({ ...options, limits: { entries: 2 } }))).toBe('LIMIT_EXCEEDED')
      expect(await codeOf(cat({ ...options, limits: { unpackedBytes: 10 } }, 'a'))).toBe(
        'LIMIT_EXCEEDED'
      )
    })
  })
})

describe('the content of a file', () => {
  const LINKS = [
    tar(
      directory('d'),
      file('d/x', 'body'),
      symlink('l', '/d/x'),
      symlink('up', '../../../../d'),
      symlink('loop', 'loop'),
      fifo('p')
    )
  ]

  test.each([
    ['d/x', 'body'],
    ['/d/./../d//x', 'body'],
    ['l', 'body'],
    ['up/x', 'body']
  ])('%s', async (path, expected) => {
    await inImage(LINKS, async (options) => expect(await cat(options, path)).toBe(expected))
  })

  test.each([
    ['d', 'PATH_INVALID'],
    ['p', 'PATH_INVALID'],
    ['loop', 'PATH_INVALID'],
    ['loop/x', 'PATH_INVALID'],
    ['nope', 'PATH_NOT_FOUND'],
    ['l/x', 'PATH_NOT_FOUND']
  ])('%s is none: %s', async (path, code) => {
    await inImage(LINKS, async (options) => expect(await codeOf(cat(options, path))).toBe(code))
  })

  test.each<[string, Buffer[], string, number[], string]>([
    ['the top layer has it', [tar(file('a', '1')), tar(file('b', '2'))], 'b', [1, 1], '2'],
    ['a layer below has it', [tar(file('a', '1')), tar(file('b', '2'))], 'a', [1, 0, 0], '1'],
    ['a marker hides it', [tar(file('a', '1')), tar(file('.wh.a'))], 'a', [1], 'PATH_NOT_FOUND'],
    [
      'a directory that is opaque has it not',
      [tar(file('d/a', '1')), tar(directory('d'), file('d/.wh..wh..opq'))],
      'd/a',
      [1],
      'PATH_NOT_FOUND'
    ],
    [
      'a file in a directory that was made anew',
      [tar(file('d/a', '1')), tar(file('.wh.d')), tar(directory('d'))],
      'd/a',
      [2, 1],
      'PATH_NOT_FOUND'
    ],
    [
      'its parent may be a link below',
      [tar(directory('e'), symlink('d', 'e')), tar(file('d/a', '2'))],
      'e/a',
      [1, 0, 1],
      '2'
    ],
    [
      'every parent is described',
      [tar(file('x')), tar(directory('d'), file('d/a', '2'))],
      'd/a',
      [1, 1],
      '2'
    ],
    [
      'a link leads into a layer below',
      [tar(file('a', '1')), tar(symlink('l', 'a'))],
      'l',
      [1, 0, 0],
      '1'
    ],
    [
      'a hard link leads into a layer below',
      [tar(file('a', '1')), tar(hardlink('b', 'a'))],
      'b',
      [1, 0, 0],
      '1'
    ]
  ])('reads no more layers than it needs: %s', async (_name, layers, path, expected, content) => {
    await inImage(layers, async (options) => {
      const read: number[] = []
      const onEvent = (event: EngineEvent): void => {
        if (event.type === 'layer') read.push(event.layer)
      }
      const found = await cat({ ...options, onEvent }, path).catch(
        (error: unknown) => (error as { code: string }).code
      )
      expect([found, read]).toEqual([content, expected])
    })
  })

  test('is counted once, although its layer is read twice', async () => {
    await inImage([tar(file('a', 'x'.repeat(5000)))], async (options) => {
      const read: number[] = []
      const onEvent = (event: EngineEvent): void => {
        if (event.type === 'progress') read.push(event.layers[0]!.unpacked)
      }
      await catFile({ ...options, path: 'a', write: () => undefined, onEvent })
      expect(read).toEqual(read.toSorted((a, b) => a - b))
      expect(read.at(-1)).toBeGreaterThan(5000)
    })
  })

  test('is not waited for once the signal has come', async () => {
    await inImage([tar(file('a', 'x'))], async (options) => {
      const controller = new AbortController()
      const write = (): Promise<void> => {
        controller.abort()
        return new Promise(() => undefined)
      }
      const { signal } = controller
      expect(await codeOf(catFile({ ...options, path: 'a', write, signal }))).toBe('ABORTED')
    })
  })

  test.each([
    ['a path', { path: 5 }],
    ['a signal', { signal: {} }],
    ['onEvent', { onEvent: 5 }],
    ['an empty path', { path: '' }]
  ])('needs %s that is one', async (_name, wrong) => {
    await inImage([tar(file('a', 'x'))], async (options) => {
      const given = { ...options, path: 'a', write: () => undefined, ...wrong } as never
      expect(await codeOf(catFile(given))).toBe('USAGE')
    })
  })

  test('a layer that is not needed need not be there', async () => {
    await inScratch(async (work) => {
      const built = buildImage(`${work}/layout`, {
        layers: [tar(file('a')), tar(file('b', 'top'))]
      })
      writeFileSync(blobPath(built.layout, built.layers[0]!), 'damaged')
      const options = { image: built.reference, jobs: 0 }
      expect(await cat(options, 'b')).toBe('top')
      expect(await codeOf(cat(options, 'a'))).toBe('BLOB_SIZE_MISMATCH')
    })
  })

  test('a sparse file comes with its holes as zeros', async () => {
    const sparse = file('s', 'abcxyz', {
      pax: { 'GNU.sparse.map': '0,3,10,3', 'GNU.sparse.size': '20', 'GNU.sparse.numblocks': '2' }
    })
    await inImage([tar(sparse)], async (options) => {
      expect(await cat(options, 's')).toBe(`abc${'\0'.repeat(7)}xyz${'\0'.repeat(7)}`)
    })
  })
})

describe.runIf(root)('an extraction', () => {
  const LAYERS = [
    tar(
      directory('etc', { mode: 0o750 }),
      file('etc/a', 'one', { uid: 3, mode: 0o640 }),
      hardlink('etc/b', 'etc/a'),
      symlink('etc/l', '/etc/a')
    ),
    tar(directory('dev'), char('dev/null', 1, 3), file('etc/c', 'two'))
  ]

  test('has each path under its whole name, and directories with all that is in them', async () => {
    await inImage(LAYERS, async (options, work) => {
      const destination = `${work}/out/new`
      await extractFiles({ ...options, paths: ['etc/a', '/dev'], destination })
      expect(readdirSync(destination)).toEqual(['dev', 'etc'])
      expect(readdirSync(`${destination}/etc`)).toEqual(['a'])
      expect(lstatSync(`${destination}/etc`).mode & 0o7777).toBe(0o750)
      expect(lstatSync(`${destination}/etc/a`)).toMatchObject({ uid: 3, nlink: 1 })
      expect(lstatSync(`${destination}/dev/null`).isCharacterDevice()).toBe(true)
    })
  })

  test('makes directories that no layer describes as an unpack does', async () => {
    await inImage([tar(file('a/b/c', ''))], async (options, work) => {
      await extractFiles({ ...options, paths: ['a/b/c'], destination: `${work}/out` })
      for (const path of ['a', 'a/b'])
        expect(lstatSync(`${work}/out/${path}`)).toMatchObject({ mtimeMs: 0, uid: 0, gid: 0 })
    })
  })

  test('adds to what is there: directories keep what they have, links among the files are kept', async () => {
    await inImage(LAYERS, async (options, work) => {
      const destination = `${work}/there`
      mkdirSync(`${destination}/etc`, { recursive: true, mode: 0o700 })
      writeFileSync(`${destination}/etc/mine`, 'mine')
      await extractFiles({ ...options, paths: ['etc'], destination })
      expect(readdirSync(`${destination}/etc`)).toEqual(['a', 'b', 'c', 'l', 'mine'])
      expect(readdirSync(destination)).toEqual(['etc'])
      expect(lstatSync(`${destination}/etc`).mode & 0o7777).toBe(0o700)
      expect(lstatSync(`${destination}/etc/b`).nlink).toBe(2)
      expect(readFileSync(`${destination}/etc/b`, 'utf8')).toBe('one')
    })
  })

  test('overwrites files only where it is told to, and changes nothing else', async () => {
    await inImage(LAYERS, async (options, work) => {
      const destination = `${work}/there`
      mkdirSync(`${destination}/etc`, { recursive: true })
      writeFileSync(`${destination}/etc/c`, 'mine')
      const extraction = { ...options, paths: ['etc/a', 'etc/c'], destination }
      expect(await codeOf(extractFiles(extraction))).toBe('TARGET_INVALID')
      expect(readdirSync(`${destination}/etc`)).toEqual(['c'])
      expect(readFileSync(`${destination}/etc/c`, 'utf8')).toBe('mine')
      await extractFiles({ ...extraction, overwrite: true })
      expect(readFileSync(`${destination}/etc/c`, 'utf8')).toBe('two')
      expect(readdirSync(destination)).toEqual(['etc'])
    })
  })

  test.each([false, true])(
    'follows no link of the destination (overwrite %s)',
    async (overwrite) => {
      await inImage(LAYERS, async (options, work) => {
        mkdirSync(`${work}/outside`)
        mkdirSync(`${work}/there`)
        symlinkSync(`${work}/outside`, `${work}/there/etc`)
        const extraction = { ...options, paths: ['etc/c'], destination: `${work}/there`, overwrite }
        expect(await codeOf(extractFiles(extraction))).toBe('TARGET_INVALID')
        expect(readdirSync(`${work}/outside`)).toEqual([])
        expect(readdirSync(`${work}/there`)).toEqual(['etc'])
      })
    }
  )

  test('of what is not all there makes nothing', async () => {
    await inImage(LAYERS, async (options, work) => {
      const extraction = { ...options, paths: ['etc/c', 'nope'], destination: `${work}/out` }
      expect(await codeOf(extractFiles(extraction))).toBe('PATH_NOT_FOUND')
      expect(existsSync(`${work}/out`)).toBe(false)
    })
  })
})

async function inImage(
  image: Buffer[] | Image,
  act: (options: ImageOptions, work: string) => Promise<void>
): Promise<void> {
  await inScratch(async (work) => {
    const { reference } = buildImage(
      `${work}/layout`,
      Array.isArray(image) ? { layers: image } : image
    )
    await act({ image: reference, jobs: 0 }, work)
  })
}

async function namesIn(options: Parameters<typeof listFiles>[0]): Promise<string[]> {
  const { files } = await listFiles(options)
  return [...files].map(({ path }) => display(fromBuffer(path)))
}

async function cat(options: ImageOptions, path: string): Promise<string> {
  const pieces: Buffer[] = []
  await catFile({ ...options, path, write: (bytes) => void pieces.push(Buffer.from(bytes)) })
  return Buffer.concat(pieces).toString('latin1')
}
