/** Layout directories that have the name of a transport, and names of transports that there are not. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { OciUnpackError } from '../../src/errors.ts'
import { openLayout } from '../../src/store/layout.ts'
import { openLayoutAt } from '../../src/transports/open-layout.ts'
import {
  parseDestination,
  parseImageInLayout,
  parseImageName,
  parsePlace,
  parseNewName
} from '../../src/transports/image-name.ts'
import type { ImageName } from '../../src/transports/list.ts'
import { failure } from '../image/errors.ts'
import { IndexBuilder, tagged } from '../support/index-builder.ts'
import { file, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'

const before = process.cwd()
let work: string
let warnings: unknown[]
beforeEach(() => {
  work = makeTemporary()
  process.chdir(work)
  warnings = []
})
afterEach(() => {
  process.chdir(before)
  removeTemporary(work)
})

const warn = (message: string, facts: object): void => void warnings.push([message, facts])

function layout(path: string, ...tags: string[]): void {
  const built = new IndexBuilder(path)
  built.write(...tags.map((tag) => tagged(built.image(tag), tag)))
}

async function failureOf(act: Promise<unknown>): Promise<OciUnpackError> {
  return act.then(
    () => {
      throw new Error('nothing was thrown')
    },
    (error: unknown) => error as OciUnpackError
  )
}

function both(text: string): unknown {
  return [
    'The name was read as a transport and a path, but could also be a tag in a directory.',
    { found: text, available: `./${text}` }
  ]
}

describe.each(['oci', 'oci-archive', 'docker-archive'] as const)('a layout called %s', (name) => {
  const inDirectory = (tag: string): ImageName => ({ transport: 'oci', path: name, tag })
  const place = (path: string): void => {
    if (name === 'oci') layout(path, 'latest')
    else writeFileSync(path, '')
  }

  test('is meant if there is nothing at the place', () => {
    layout(name, '12', 'a/b:c')
    for (const tag of ['12', 'a/b:c', 'nope', 'docker.io/library/a:1'])
      expect(parseImageName(`${name}:${tag}`, warn)).toEqual(inDirectory(tag))
    expect(parseImageInLayout(`${name}:12`)).toEqual({ path: name, tag: '12' })
    expect(parseNewName(`${name}:new`)).toMatchObject({ path: name, tag: 'new' })
    expect(warnings).toEqual([])
  })

  test('is not meant if there is something at the place', () => {
    layout(name, '12')
    place('x')
    expect(parseImageName(`${name}:x`, warn)).toEqual({
      transport: name,
      path: 'x',
      tag: undefined
    })
    expect(parseImageName(`${name}:x:12`, warn)).toMatchObject({ transport: name, path: 'x' })
    expect(warnings).toEqual([])
  })

  test('is warned of if it has the tag', () => {
    layout(name, 'x')
    place('x')
    expect(parseImageName(`${name}:x`, warn)).toMatchObject({ transport: name, path: 'x' })
    expect(warnings).toEqual([both(`${name}:x`)])
  })

  test('is not meant by a place', () => {
    layout(name, '12')
    expect(parsePlace(`${name}:x`)).toMatchObject({ transport: name, path: 'x' })
  })

  test('is where a new image goes, with a warning, because it could go to a place of its own', () => {
    layout(name, '12')
    parseDestination(`${name}:new`, warn)
    expect(warnings).toEqual([
      [
        'The name was read as a tag in a directory, but could also be a new place.',
        { found: `${name}:new`, available: `${name}:./new` }
      ]
    ])
    parseDestination(`${name}:./new`, warn)
    expect(warnings).toHaveLength(1)
  })

  test('is nothing special if it is not a layout', () => {
    mkdirSync(name)
    expect(parseImageName(`${name}:x`, warn)).toMatchObject({ transport: name, path: 'x' })
    parseDestination(`${name}:x`, warn)
    expect(warnings).toEqual([])
  })

  test('can be named by its path', () => {
    layout(name, 'x')
    place('x')
    const path = `./${name}`
    expect(parseImageName(`${path}:x`, warn)).toEqual({ transport: 'oci', path, tag: 'x' })
    expect(parseImageName(`${name}@sha256:${'0'.repeat(64)}`)).toMatchObject({ path: name })
    expect(warnings).toEqual([])
  })
})

describe('a layout called tar', () => {
  test('is meant unless an archive is there, whose name may contain colons', () => {
    layout('tar', '12', 'x')
    writeFileSync('x', '')
    writeFileSync('a:b.tar', '')
    expect(parseImageName('tar:12', warn)).toEqual({ transport: 'oci', path: 'tar', tag: '12' })
    expect(parseImageName('tar:a:b.tar', warn)).toMatchObject({ transport: 'tar', path: 'a:b.tar' })
    expect(warnings).toEqual([])
    expect(parseImageName('tar:x', warn)).toMatchObject({ transport: 'tar', path: 'x' })
    expect(warnings).toEqual([both('tar:x')])
  })

  test('is where a new image goes, with a warning, because it could be an archive', () => {
    layout('tar', '12')
    parseDestination('tar:new.tar', warn)
    expect(warnings).toEqual([
      [
        'The name was read as a tag in a directory, but could also be a new place.',
        { found: 'tar:new.tar', available: 'tar:./new.tar' }
      ]
    ])
    parseDestination('tar:./new.tar', warn)
    expect(warnings).toHaveLength(1)
  })
})

describe('a name in the form of another transport', () => {
  test.each([
    'docker-daemon:app:latest',
    'containers-storage:localhost/app',
    'dir:/tmp/x',
    'ostree:x@/y',
    'sif:image.sif'
  ])('%s is refused, with the way that the image can take', (text) => {
    const error = failure(() => parseImageName(text))
    expect(error.code).toBe('REFERENCE_INVALID')
    expect(error.message).toBe(`The transport ${text.split(':')[0]!}: is not supported.`)
    expect(error.hint).toBe(
      `Make a layout of the image first: skopeo copy ${text} oci:DIRECTORY:TAG`
    )
  })

  test.each(['docker:127.0.0.1:5000/app', 'docker:/host/app:1', 'docker:debian:12'])(
    '%s lacks slashes',
    (text) => {
      for (const parse of [parseImageName, parseDestination])
        expect(failure(() => parse(text)).hint).toBe(
          `Write docker://${text.replace(/^docker:\/?/, '')}, or ./${text} for a directory with this name.`
        )
    }
  )

  test('docker:TAG is a tag in a directory', () => {
    expect(parseImageName('docker:12')).toEqual({ transport: 'oci', path: 'docker', tag: '12' })
  })

  test('is refused as a destination, too', () => {
    const { hint } = failure(() => parseDestination('containers-storage:host/app:1'))
    expect(hint).toBe(
      'Copy the image to a layout, and then run: skopeo copy oci:DIRECTORY:TAG containers-storage:host/app:1'
    )
    expect(() => parseDestination('dir:1')).not.toThrow()
  })

  test('is a tag if there is a layout of that name', () => {
    layout('docker', 'x')
    layout('dir', 'x')
    expect(parseImageName('docker:x')).toMatchObject({ path: 'docker', tag: 'x' })
    expect(parseImageName('dir:x')).toMatchObject({ path: 'dir', tag: 'x' })
  })
})

describe('an archive that is named without its transport', () => {
  test.each([
    [['manifest.json'], 'The name of the archive is docker-archive:saved.tar.'],
    [['oci-layout', 'index.json'], 'The name of the archive is oci-archive:saved.tar.'],
    [
      ['oci-layout', './index.json', './manifest.json'],
      'The name of the archive is docker-archive:saved.tar or oci-archive:saved.tar.'
    ]
  ])('with %j is told how to name', async (members, hint) => {
    writeFileSync('saved.tar', tar(...members.map((name) => file(name, '{}'))))
    const error = await failureOf(openLayoutAt('saved.tar'))
    expect(error.code).toBe('LAYOUT_INVALID')
    expect(error.message).toBe('The path is that of an archive, not of a layout.')
    expect(error.hint).toContain(hint)
  })

  test.each([
    ['a tar file of something else', tar(file('x'))],
    ['any file', Buffer.from('text')]
  ])('%s is refused as before', async (_what, bytes) => {
    writeFileSync('file', bytes)
    expect(await failureOf(openLayoutAt('file'))).toEqual(failure(() => openLayout('file')))
  })
})
