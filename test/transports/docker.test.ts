import { mkdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  formatImageName,
  parseDestination,
  parseImageInLayout,
  parseImageName,
  parseNewName,
  parsePlace
} from '../../src/transports/image-name.ts'
import { openImages } from '../../src/transports/open-images.ts'
import { failure } from '../image/errors.ts'
import { failureOf } from '../registry/support.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'

const HEX = 'a'.repeat(64)

describe('a name on a registry', () => {
  test.each([
    ['docker://debian', '//docker.io/library/debian', undefined],
    ['docker://debian:12', '//docker.io/library/debian', '12'],
    ['docker://localhost:5000/a/b:c', '//localhost:5000/a/b', 'c'],
    [`docker://ghcr.io/o/app:1@sha256:${HEX}`, '//ghcr.io/o/app', `@sha256:${HEX}`],
    ['docker://[::1]:5000/x', '//[::1]:5000/x', undefined]
  ])('%s is read in full, and printed so that it is read again', (text, path, tag) => {
    const name = parseImageName(text)
    expect(name).toEqual({ transport: 'docker', path, tag })
    expect(parseImageName(formatImageName(name))).toEqual(name)
  })

  test.each(['docker://', 'docker://UPPER/Case', 'docker://a:b:c', 'docker://host:99999/x'])(
    '%s is refused, and the hint shows the forms',
    (text) => {
      const { code, hint } = failure(() => parseImageName(text))
      expect(code).toBe('REFERENCE_INVALID')
      expect(hint).toContain('docker://')
    }
  )

  test('with a digest is a destination, but not the name of a changed image', () => {
    const name = `docker://a/b@sha256:${HEX}`
    expect(parseDestination(name)).toBeTypeOf('function')
    const { code, hint } = failure(() => parseNewName(name))
    expect(code).toBe('REFERENCE_INVALID')
    expect(hint).toContain('docker://')
    expect(failure(() => parseNewName(`./a@sha256:${HEX}`)).hint).not.toContain('docker://')
  })

  test('with a tag is not a whole place, and a place is not a layout', () => {
    expect(failure(() => parsePlace('docker://a/b:c')).code).toBe('REFERENCE_INVALID')
    expect(failure(() => parseImageInLayout('docker://a/b:c')).code).toBe('REFERENCE_INVALID')
  })

  test('without slashes is that of a layout directory', () => {
    expect(parseImageName('docker:12')).toEqual({ transport: 'oci', path: 'docker', tag: '12' })
  })
})

describe('a name that lacks docker://', () => {
  test.each([
    ['https://quay.io/a/b:1', 'docker://quay.io/a/b:1'],
    ['http://localhost:5000/x', 'docker://localhost:5000/x'],
    ['https://user:secret@quay.io/a/b', 'docker://quay.io/a/b'],
    [`https://quay.io/a/b@sha256:${HEX}`, `docker://quay.io/a/b@sha256:${HEX}`],
    ['https://hub.docker.com/_/debian', 'docker://HOST/NAME:TAG']
  ])('%s is not a path, and the hint names it', (text, meant) => {
    for (const parse of [parseImageName, parseDestination, parsePlace]) {
      const { code, hint, facts } = failure(() => parse(text))
      expect(code).toBe('REFERENCE_INVALID')
      expect(hint).toContain(` ${meant}.`)
      expect(JSON.stringify(facts)).not.toContain('secret')
    }
  })

  test.each([
    ['localhost:5000/x:tag', 'docker://localhost:5000/x:tag'],
    ['registry.example/a/b', 'docker://registry.example/a/b'],
    [`registry.example/a/b@sha256:${HEX}`, `docker://registry.example/a/b@sha256:${HEX}`],
    ['./registry.example/a', undefined],
    ['/var/lib/a.b/x', undefined],
    ['layouts/debian:12', undefined],
    ['debian:12', 'docker://docker.io/library/debian:12'],
    ['debian', undefined],
    ['Debian:12', undefined]
  ])('%s is a path, and if nothing is there, it may be %s', async (text, meant) => {
    const { code, hint } = await failureOf(openImages(parseImageName(text)))
    expect(code).toBe('LAYOUT_INVALID')
    if (meant === undefined) expect(hint).not.toContain('docker://')
    else expect(hint).toContain(` ${meant}.`)
  })

  test('for a new layout it must say what is meant, unless its first directory is there', () => {
    const { code, hint } = failure(() => parseDestination('registry.example/a/b:1'))
    expect(code).toBe('REFERENCE_INVALID')
    expect(hint).toContain('docker://registry.example/a/b:1 for')
    expect(hint).toContain('./registry.example/a/b:1 for')
    for (const text of ['./registry.example/a:1', 'oci:registry.example/a:1', 'new/a:1', 'a:1'])
      expect(() => parseDestination(text)).not.toThrow()
    inDirectoryWith('registry.example', () =>
      expect(() => parseDestination('registry.example/a/b:1')).not.toThrow()
    )
  })
})

function inDirectoryWith(name: string, work: () => void): void {
  const [before, scratch] = [process.cwd(), makeTemporary()]
  mkdirSync(`${scratch}/${name}`)
  process.chdir(scratch)
  try {
    work()
  } finally {
    process.chdir(before)
    removeTemporary(scratch)
  }
}
