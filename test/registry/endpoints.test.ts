/** registries.conf: which registries stand in for others, and which are insecure or blocked. */
import * as fs from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { OciUnpackError } from '../../src/errors.ts'
import { endpointsToRead, endpointToWrite } from '../../src/registry/endpoints.ts'
import { parseReference } from '../../src/registry/reference.ts'
import { readRegistryRules } from '../../src/registry/registries-conf.ts'
import { failure } from '../image/errors.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'

let work: string
beforeEach(() => {
  work = makeTemporary()
})
afterEach(() => removeTemporary(work))

function rules(text: string): ReturnType<typeof readRegistryRules> {
  const file = `${work}/registries.conf`
  fs.writeFileSync(file, text)
  return readRegistryRules({ CONTAINERS_REGISTRIES_CONF: file })
}

/** `HOST/NAME`, with ! where TLS is not needed. */
function read(text: string, image: string): string[] {
  return endpointsToRead(parseReference(image), rules(text)).map(
    ({ host, name, isInsecure }) => `${host}/${name}${isInsecure ? '!' : ''}`
  )
}

/** As on a Debian or Fedora machine, and in the manual. */
const CONF = `
unqualified-search-registries = ["example.com"]
short-name-mode = "enforcing"
[aliases]
"debian" = "docker.io/library/debian"
[[registry]]
prefix = "example.com/foo"
insecure = false
blocked = false
location = "internal.example.net/bar"
[[registry.mirror]]
location = "mirror-0.local/mirror-for-foo"
[[registry.mirror]]
location = "mirror-1.local/mirrors/foo"
insecure = true
[[registry]]
location = "registry.com"
[[registry.mirror]]
location = "mirror.registry.com"
[[registry]]
location = "localhost:5000"
insecure = true
[[registry]]
prefix = "docker.io"
location = "docker.io"
[[registry.mirror]]
location = "mirror.gcr.io/"
[[registry]]
prefix = "docker.io/team"
location = "harbor.local:8443/hub/team"
insecure = true
[[registry]]
prefix = "*.open.local"
insecure = true
[[registry]]
prefix = "evil.com"
blocked = true
`

const DIGEST = `@sha256:${'a'.repeat(64)}`

describe('an image is read from', () => {
  test.each([
    [
      'example.com/foo/image:latest',
      [
        'mirror-0.local/mirror-for-foo/image',
        'mirror-1.local/mirrors/foo/image!',
        'internal.example.net/bar/image'
      ]
    ],
    ['example.com/foobar/image', ['example.com/foobar/image']],
    ['example.com/image', ['example.com/image']],
    ['registry.com/image', ['mirror.registry.com/image', 'registry.com/image']],
    ['registry.com:5000/image', ['registry.com:5000/image']],
    ['localhost:5000/image', ['localhost:5000/image!']],
    ['localhost/image', ['localhost/image']],
    ['debian', ['mirror.gcr.io/library/debian', 'docker.io/library/debian']],
    ['team/app', ['harbor.local:8443/hub/team/app!']],
    ['a.open.local/app', ['a.open.local/app!']],
    ['a.b.open.local:5000/app', ['a.b.open.local:5000/app!']],
    ['open.local/app', ['open.local/app']],
    ['quay.io/a', ['quay.io/a']]
  ])('%s', (image, endpoints) => {
    expect(read(CONF, image)).toEqual(endpoints)
  })

  test('a mirror for tags or for digests alone', () => {
    const mirrors = (more: string): string => `[[registry]]\nlocation = "h.io"\n${more}
[[registry.mirror]]\nlocation = "tags.io"\npull-from-mirror = "tag-only"
[[registry.mirror]]\nlocation = "digests.io"\npull-from-mirror = "digest-only"`
    expect(read(mirrors(''), 'h.io/a')).toEqual(['tags.io/a', 'h.io/a'])
    expect(read(mirrors(''), `h.io/a:t${DIGEST}`)).toEqual(['digests.io/a', 'h.io/a'])
    const only = mirrors('mirror-by-digest-only = true')
    expect(read(only, 'h.io/a')).toEqual(['h.io/a'])
    expect(read(only, `h.io/a${DIGEST}`)).toEqual(['tags.io/a', 'digests.io/a', 'h.io/a'])
  })
})

test('only the host that the user named gets what the user gave', () => {
  const named = endpointsToRead(parseReference('registry.com/a'), rules(CONF))
  expect(named.map(({ isNamed }) => isNamed)).toEqual([false, true])
})

test('nothing stands in for a registry that is written to, but it may be insecure or blocked', () => {
  const write = (image: string): object => endpointToWrite(parseReference(image), rules(CONF))
  expect(write('example.com/foo/a')).toMatchObject({
    host: 'example.com',
    name: 'foo/a',
    isInsecure: false
  })
  expect(write('localhost:5000/a')).toMatchObject({ isInsecure: true, isNamed: true })
  expect(failure(() => write('evil.com/a')).code).toBe('REGISTRY_BLOCKED')
  expect(failure(() => read(CONF, 'evil.com/a/b')).facts).toMatchObject({ found: 'evil.com/a/b' })
})

test('the first version of the format still says what is insecure or blocked', () => {
  const former = `[registries.search]\nregistries = ['a.com']\n[registries.insecure]\nregistries = ['b.com']
[registries.block]\nregistries = ['c.com']`
  expect(read(former, 'b.com/x')).toEqual(['b.com/x!'])
  expect(failure(() => read(former, 'c.com/x')).code).toBe('REGISTRY_BLOCKED')
})

test('what is of another type is ignored', () => {
  for (const text of [
    '',
    'registry = 1',
    '[[registry]]\nlocation = 1',
    '[registry]\na = 1',
    'registries = []'
  ])
    expect(read(text, 'h.io/a')).toEqual(['h.io/a'])
})

test('the file of the user stands in for that of the system, and files beside it add to it', () => {
  const conf = `${work}/.config/containers/registries.conf`
  const insecure = (host: string, value: boolean): string =>
    `[[registry]]\nlocation = "${host}"\ninsecure = ${value}\n`
  fs.mkdirSync(`${conf}.d`, { recursive: true })
  fs.writeFileSync(conf, insecure('one.local', true) + insecure('two.local', true))
  fs.writeFileSync(`${conf}.d/1.conf`, insecure('two.local', false))
  fs.writeFileSync(`${conf}.d/2.txt`, 'not TOML')
  const found = readRegistryRules({ HOME: work })
  const isInsecure = (host: string): boolean =>
    endpointToWrite({ host, name: 'a' }, found).isInsecure
  expect(['one.local', 'two.local'].map(isInsecure)).toEqual([true, false])
})

test.each([
  ['[[registry]\n', 'line', 1],
  ['a = 1\nb = \n', 'line', 2]
])('%j is an error with its line', (text, fact, value) => {
  const error: OciUnpackError = failure(() => rules(text))
  expect(error).toMatchObject({ code: 'REGISTRIES_CONF_INVALID', facts: { [fact]: value } })
})

test('a named file must be there', () => {
  const error = failure(() => readRegistryRules({ CONTAINERS_REGISTRIES_CONF: `${work}/none` }))
  expect(error.facts).toEqual({ file: `${work}/none`, reason: 'it does not exist' })
})
