/** By which names images can be read, tagged, copied, changed and removed. */
import { existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { EngineEvent, OciUnpackError } from '../../src/index.ts'
import { library } from '../support/dist.ts'
import { FULL_NAME, IndexBuilder, REF_NAME, tagged, type Entry } from '../support/index-builder.ts'
import { ok, run } from '../support/run.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { ociUnpack, ociUnpackCommand, ociUnpackOk } from './cli.ts'
import { unpackFlags, unpackOptions } from '../support/whoever.ts'

let work: string
let built: IndexBuilder
let layout: string
beforeEach(() => {
  work = makeTemporary()
  layout = `${work}/layout`
  built = new IndexBuilder(layout)
})
afterEach(() => removeTemporary(work))

/** The command of the image with a name after the path of the layout. */
async function commandOf(name: string, onEvent?: (event: EngineEvent) => void): Promise<unknown> {
  const stat = await library.statImage({
    image: `${layout}${name}`,
    ...(onEvent === undefined ? {} : { onEvent })
  })
  return stat.kind === 'image' ? stat.image.config?.content?.config?.Cmd?.[0] : 'an index'
}

async function failureOf(act: Promise<unknown>): Promise<OciUnpackError> {
  return act.then(
    () => {
      throw new Error('nothing was thrown')
    },
    (error: unknown) => error as OciUnpackError
  )
}

function entries(): Entry[] {
  const index = JSON.parse(readFileSync(`${layout}/index.json`, 'utf8')) as { manifests: Entry[] }
  return index.manifests
}

const tags = (): unknown[] => entries().map(({ annotations }) => annotations?.[REF_NAME])

/** As `docker save a:latest b:latest` writes it with containerd's store. */
function saved(): void {
  built.write(
    tagged(built.image('a'), 'latest', 'docker.io/library/a:latest'),
    tagged(built.image('b'), 'latest', 'docker.io/library/b:latest')
  )
}

describe('without a tag', () => {
  test.each<[string, (it: IndexBuilder) => unknown[], string]>([
    ['the only image without a tag', (it) => [it.image('only')], 'only'],
    ['the only image, with any tag', (it) => [tagged(it.image('only'), 'x')], 'only'],
    [
      'latest, wherever it is',
      (it) => [it.image('a'), tagged(it.image('b'), 'b'), tagged(it.image('c'), 'latest')],
      'c'
    ],
    ['an image that is there twice', (it) => [it.image('a'), tagged(it.image('a'), 'x')], 'a'],
    [
      'the only image beside artifacts',
      (it) => [
        { ...it.artifact(), artifactType: 'application/spdx+json' },
        { ...it.artifact({ x: 1 }), mediaType: 'application/xml' },
        it.image('image')
      ],
      'image'
    ]
  ])('%s is meant', async (_what, make, expected) => {
    built.write(...make(built))
    expect(await commandOf('')).toBe(expected)
    await library.copy({ source: layout, destination: `${work}/copy:x` })
    await library.tagImage({ image: layout, tag: 'new' })
    expect(await commandOf(':new')).toBe(expected)
  })

  test('of several images none is meant, and each is named so that it can be found', async () => {
    built.write(tagged(built.image('a'), 'x'), built.image('b'))
    const error = await failureOf(commandOf(''))
    expect(error.code).toBe('TAG_NOT_FOUND')
    expect(error.hint).toBe('Use one of the available tags or digests: PATH:TAG or PATH@DIGEST.')
    expect(error.facts).toMatchObject({ expected: 'latest' })
    expect(error.facts).not.toHaveProperty('found')
    const [tag, digest] = String(error.facts.available).split(', ')
    expect([await commandOf(`:${tag!}`), await commandOf(digest!)]).toEqual(['a', 'b'])
  })

  test('an empty layout says so', async () => {
    expect(await failureOf(commandOf(''))).toMatchObject({
      code: 'TAG_NOT_FOUND',
      message: 'There is no image at this place.',
      hint: 'Copy an image there first.'
    })
    expect((await failureOf(commandOf(':x'))).facts.available).toBe('no images at all')
  })
})

describe('a digest', () => {
  test('names an image for every command that reads', async () => {
    const image = built.image('mine')
    built.write(tagged(built.image('other'), 'latest'), image)
    const name = `${layout}@${image.digest}`
    expect(await commandOf(`@${image.digest}`)).toBe('mine')
    const options = { image: name, jobs: 0 }
    const { manifestDigest } = await library.unpack({
      ...options,
      ...unpackOptions,
      destination: `${work}/bundle`
    })
    expect(manifestDigest).toBe(image.digest)
    const root = await library.unpackRootfs({
      ...options,
      ...unpackOptions,
      destination: `${work}/root`
    })
    expect(root.manifestDigest).toBe(image.digest)
    expect((await library.listFiles(options)).manifestDigest).toBe(image.digest)
    expect((await library.verify(options)).ok).toBe(true)
    await library.writeRuntimeConfig({ image: name, file: `${work}/config.json` })
    expect(readFileSync(`${work}/config.json`, 'utf8')).toContain('"mine"')
    for (const to of [
      `${work}/copy:x`,
      `oci-archive:${work}/x.tar`,
      `docker-archive:${work}/y.tar`
    ])
      await library.copy({ source: name, destination: to })
    const archived = { image: `oci-archive:${work}/x.tar@${image.digest}`, jobs: 0 }
    expect((await library.listFiles(archived)).manifestDigest).toBe(image.digest)
  })

  test('names what is inside an index, as list --long shows it', async () => {
    const inner = built.index(built.imageFor('arm64'))
    built.write(tagged(built.index(built.imageFor('amd64'), inner), 't'))
    const images = await library.listImages({ layout })
    const shown = images.flatMap((entry) => entry.images.map(({ digest }) => digest))
    expect(await Promise.all(shown.map((digest) => commandOf(`@${digest}`)))).toEqual([
      'amd64',
      'arm64'
    ])
    const lines = ociUnpackOk('ls', '--long', '--layout', layout).stdout.split('\n')
    expect(lines.slice(1, 3).map((line) => line.split(' ').at(-1))).toEqual(shown)
    expect(await commandOf(`@${inner.digest}`)).toBe('arm64')
    await library.tagImage({ image: `${layout}@${shown[1]!}`, tag: 'arm' })
    expect(await commandOf(':arm')).toBe('arm64')
  })

  test('that nothing has is reported as what was not found', async () => {
    built.write(built.image('a'))
    const digest = `sha256:${'0'.repeat(64)}`
    expect(await failureOf(commandOf(`@${digest}`))).toMatchObject({
      code: 'TAG_NOT_FOUND',
      message: 'No image has this digest.',
      facts: { expected: digest, available: `@${built.image('a').digest}` },
      hint: 'The images have no tags. Use one of the available digests: PATH@DIGEST.'
    })
    expect((await failureOf(commandOf('@sha256:12'))).code).toBe('REFERENCE_INVALID')
  })

  test('is the base of a change under a new tag, and not a name to change or remove', async () => {
    const image = built.image('a')
    built.write(image)
    const name = `${layout}@${image.digest}`
    const change = { image: name, changes: { cmd: ['changed'] } }
    const failures = [
      library.configureImage(change),
      library.removeTag({ image: name }),
      library.newImage({ image: name }),
      library.copy({ source: layout, destination: name })
    ]
    for (const act of failures) expect((await failureOf(act)).code).toBe('REFERENCE_INVALID')
    expect(tags()).toEqual([undefined])
    await library.configureImage({ ...change, tag: 'new' })
    expect(await commandOf(':new')).toBe('changed')
    expect(await commandOf(`@${image.digest}`)).toBe('a')
  })
})

describe('an image that is changed in place', () => {
  const change = (name: string): Promise<unknown> =>
    library.configureImage({ image: `${layout}${name}`, changes: { cmd: ['changed'] } })

  test('keeps its tag if it is the only image', async () => {
    built.write(tagged(built.image('a'), 'mine'))
    await change('')
    expect(tags()).toEqual(['mine'])
    expect(await commandOf('')).toBe('changed')
  })

  test('gets the tag latest if it has none', async () => {
    built.write(built.image('a'))
    await change('')
    expect(tags()).toEqual([undefined, 'latest'])
    expect(await commandOf('')).toBe('changed')
  })

  test('keeps its full name, and the other image with its tag keeps its own', async () => {
    saved()
    await change(':b')
    expect(await commandOf(':docker.io/library/b:latest')).toBe('changed')
    expect(await commandOf(':docker.io/library/a:latest')).toBe('a')
    expect(entries().map(({ annotations }) => annotations?.[FULL_NAME])).toEqual([
      'docker.io/library/a:latest',
      'docker.io/library/b:latest'
    ])
  })
})

test('an image without a tag gets one, and is not there twice', async () => {
  built.write(built.image('a'), tagged(built.image('b'), 'b'))
  await library.tagImage({ image: `${layout}@${built.image('a').digest}`, tag: 'a' })
  expect(tags()).toEqual(['b', 'a'])
})

test.each(['free text', 'a..b', '_x', 'docker.io/library/a:latest', '@1', '-', '/x', 'ünï'])(
  'the tag %j of another program can be read, tagged, copied and removed',
  async (tag) => {
    built.write(tagged(built.image('odd'), tag), tagged(built.image('b'), 'b'))
    const image = `${layout}:${tag}`
    expect(await commandOf(`:${tag}`)).toBe('odd')
    await library.tagImage({ image, tag: 'new' })
    await library.copy({ source: image, destination: `${work}/copy:x` })
    await library.configureImage({ image, changes: { cmd: ['changed'] } })
    expect(await commandOf(`:${tag}`)).toBe('changed')
    await library.removeTag({ image })
    expect(tags()).toEqual(['b', 'new'])
  }
)

test.each(['free text', 'a..b', '-'])('no image gets the tag %j', async (tag) => {
  built.write(tagged(built.image('a'), 'a'))
  const attempts = [
    library.tagImage({ image: `${layout}:a`, tag }),
    library.newImage({ image: `${layout}:${tag}` }),
    library.copy({ source: `${layout}:a`, destination: `${work}/copy:${tag}` })
  ]
  for (const attempt of attempts) expect((await failureOf(attempt)).code).toBe('REFERENCE_INVALID')
})

describe('a tag that several images have', () => {
  const warning = {
    type: 'warning',
    message: 'Several images have this tag, and the first one is used.',
    facts: {
      found: 'latest',
      available: 'docker.io/library/a:latest, docker.io/library/b:latest'
    }
  }

  test('means the first one, with a warning that names all of them', async () => {
    saved()
    const events: EngineEvent[] = []
    expect(await commandOf('', (event) => events.push(event))).toBe('a')
    expect(events).toEqual([warning])
    expect(await commandOf(':b', (event) => events.push(event))).toBe('b')
    expect(await commandOf(':docker.io/library/b:latest')).toBe('b')
    expect(events).toHaveLength(1)
    expect(ociUnpackOk('ls', '--layout', layout)).toMatchObject({ stdout: 'latest\nlatest\n' })
  })

  test('is warned of by every command', async () => {
    saved()
    const events: EngineEvent[] = []
    const onEvent = (event: EngineEvent): void => {
      if (event.type === 'warning') events.push(event)
    }
    const options = { image: layout, jobs: 0, onEvent }
    await library.unpack({ ...options, ...unpackOptions, destination: `${work}/bundle` })
    await library.verify(options)
    await library.listFiles(options)
    await library.copy({ source: layout, destination: `${work}/copy`, onEvent })
    await library.writeRuntimeConfig({ image: layout, file: `${work}/config.json`, onEvent })
    await library.tagImage({ image: layout, tag: 'x', onEvent })
    await library.configureImage({ image: layout, changes: {}, tag: 'y', onEvent })
    expect(events).toEqual(Array.from({ length: 7 }, () => warning))
  })

  test('is mended when it is set, and no image with a name of its own is lost', async () => {
    saved()
    await library.configureImage({ image: layout, changes: { cmd: ['changed'] } })
    expect(tags()).toEqual([undefined, 'latest'])
    expect([await commandOf(''), await commandOf(':b')]).toEqual(['changed', 'b'])
    expect(ociUnpackOk('ls', '--long', '--layout', layout).stdout).toContain(
      '\ndocker.io/library/b:latest '
    )
  })

  test('is removed from all', async () => {
    saved()
    await library.removeTag({ image: `${layout}:latest` })
    expect(tags()).toEqual([undefined])
    await library.removeTag({ image: `${layout}:b` })
    expect(entries()).toEqual([])
  })
})

describe('entries that are not valid', () => {
  const odd = [null, [1], { digest: 'sha256:x', size: 1 }, { mediaType: 'a/b', note: 'x' }]

  test('are warned of, kept and harmless', async () => {
    const image = tagged(built.image('a'), 'a')
    built.write(odd[0], image, ...odd.slice(1))
    const { stdout, stderr } = ociUnpackOk('ls', '--layout', layout)
    expect(stdout).toBe('a\n')
    expect(stderr).toContain('4 entries of the index are not valid and are ignored.')
    expect(stderr).toContain('/manifests/0')
    await library.unpack({
      ...unpackOptions,
      image: `${layout}:a`,
      destination: `${work}/bundle`,
      jobs: 0
    })
    await library.repack({ image: `${layout}:b`, bundle: `${work}/bundle`, jobs: 0 })
    await library.tagImage({ image: `${layout}:a`, tag: 'c' })
    await library.removeTag({ image: `${layout}:b` })
    const blobs = await library.collectGarbage({ layout })
    expect(blobs.blobs).toHaveLength(2)
    expect((await library.verify({ layout })).ok).toBe(true)
    expect(entries()).toEqual([odd[0], image, ...odd.slice(1), tagged(built.image('a'), 'c')])
  })

  test.each<[string, (it: Entry) => unknown]>([
    ['has no media type', ({ digest, size }) => ({ digest, size })],
    ['has a wrong size', (it) => ({ ...it, size: -1 })],
    ['is in upper-case', (it) => ({ ...it, digest: it.digest.toUpperCase() })],
    ['has odd annotations', (it) => ({ ...it, annotations: { x: 1 } })],
    ['has it in a strange place', ({ digest }) => [{ images: { first: digest } }]]
  ])('protect the image that one may mean: %s', async (_what, spoil) => {
    built.write(spoil(built.image('hidden')), tagged(built.image('a'), 'a'))
    expect((await library.collectGarbage({ layout })).blobs).toEqual([])
    const index = built.index(spoil(built.image('inner')), built.imageFor('amd64'))
    built.write(tagged(index, 'i'), spoil(built.image('hidden')), tagged(built.image('a'), 'a'))
    expect((await library.collectGarbage({ layout })).blobs).toEqual([])
  })

  test('stop a collection if what they may mean cannot be read', async () => {
    const { digest } = built.image('hidden')
    built.write({ digest }, tagged(built.image('a'), 'a'))
    writeFileSync(`${layout}/blobs/${digest.replace(':', '/')}`, 'damaged')
    expect((await failureOf(library.collectGarbage({ layout }))).code).toBe('BLOB_DIGEST_MISMATCH')
  })

  test('are kept in an index that is rewritten', async () => {
    built.write(tagged(built.index(odd[0], built.imageFor('amd64'), odd[2]), 't'))
    const options = { image: `${layout}:t`, platform: 'linux/amd64' }
    await library.configureImage({ ...options, changes: { cmd: ['changed'] } })
    const [{ digest }] = entries() as [Entry]
    const text = readFileSync(`${layout}/blobs/${digest.replace(':', '/')}`, 'utf8')
    expect((JSON.parse(text) as { manifests: unknown[] }).manifests).toMatchObject([
      odd[0],
      { platform: { architecture: 'amd64' } },
      odd[2]
    ])
  })
})

test('a layout without oci-layout is read with a warning, and gets the file when it is changed', () => {
  built.write(tagged(built.image('a'), 'a'))
  rmSync(`${layout}/oci-layout`)
  const { stdout, stderr } = ociUnpackOk('ls', '--layout', layout)
  expect(stdout).toBe('a\n')
  expect(stderr).toContain('warn: The layout has no version file, and is read as version 1.')
  ociUnpackOk('tag', '--image', `${layout}:a`, 'b')
  expect(readFileSync(`${layout}/oci-layout`, 'utf8')).toBe('{"imageLayoutVersion":"1.0.0"}\n')
  expect(ociUnpackOk('ls', '--layout', layout).stderr).toBe('')
})

describe('a layout called oci', () => {
  beforeEach(() => {
    layout = `${work}/oci`
    built = new IndexBuilder(layout)
    built.write(tagged(built.image('a'), 'a'))
  })

  const inWork = (...args: string[]): [string, ...string[]] => [
    'env',
    '-C',
    work,
    ...ociUnpackCommand,
    ...args
  ]

  test('can be used as in scripts for umoci', () => {
    ok(...inWork('tag', '--image', 'oci:a', 'b'))
    ok(...inWork('unpack', ...unpackFlags, '--image', 'oci:b', 'bundle'))
    ok(...inWork('repack', '--image', 'oci:c', 'bundle'))
    ok(...inWork('config', '--image', 'oci:c', '--author', 'me'))
    ok(...inWork('rm', '--image', 'oci:b'))
    expect(ok(...inWork('ls', '--layout', 'oci')).stdout).toBe('a\nc\n')
  })

  test('is where a new image goes, and the command says how it would go elsewhere', () => {
    const { stderr } = ok(...inWork('copy', 'oci:a', 'oci:new'))
    expect(stderr).toContain('warn: The name was read as a tag in a directory')
    expect(stderr).toContain('oci:./new')
    expect(existsSync(`${work}/new`)).toBe(false)
    expect(tags()).toEqual(['a', 'new'])
    ok(...inWork('copy', 'oci:a', 'oci:./new'))
    expect(existsSync(`${work}/new/index.json`)).toBe(true)
  })

  test('is always meant by the name umoci', () => {
    symlinkSync(ociUnpackCommand[1], `${work}/umoci`)
    const other = new IndexBuilder(`${work}/a`)
    other.write(tagged(other.image('other'), 'latest'))
    const umoci = (...args: string[]) =>
      run('env', '-C', work, ociUnpackCommand[0], `${work}/umoci`, ...args)
    expect(umoci('stat', '--json', '--image', 'oci:a').stdout).toContain('"a"')
    expect(umoci('ls', '--layout', 'oci:a').status).toBe(1)
    expect(umoci('stat', '--image', 'docker-archive:a.tar').stderr).toContain('LAYOUT_INVALID')
  })
})

test.each([['unpack'], ['raw', 'unpack']])(
  '%s %s to a path below a file says what to do',
  (...words) => {
    built.write(built.image('a'))
    writeFileSync(`${work}/file`, '')
    const { status, stderr } = ociUnpack(...words, '--image', layout, `${work}/file/x`)
    expect(status).toBe(1)
    expect(stderr).toContain('failed: a part of the path is not a directory.')
    expect(stderr).toContain(
      'Choose a path on which everything before the last name is a directory.'
    )
  }
)
