/** Names of images on registries, as docker, podman and skopeo read them. */
import { expect, test } from 'vitest'
import { fullDockerName } from '../../src/image/docker-name.ts'
import { formatReference, parseReference } from '../../src/registry/reference.ts'
import { failure } from '../image/errors.ts'

const HEX = 'ab12'.repeat(16)
const SHA256 = `sha256:${HEX}`
const SHA512 = `sha512:${HEX}${HEX}`

test.each([
  ['debian', 'docker.io', 'library/debian', undefined, undefined],
  ['debian:12', 'docker.io', 'library/debian', '12', undefined],
  ['library/debian', 'docker.io', 'library/debian', undefined, undefined],
  ['docker.io/debian', 'docker.io', 'library/debian', undefined, undefined],
  ['index.docker.io/debian', 'docker.io', 'library/debian', undefined, undefined],
  ['index.docker.io/user/app:1', 'docker.io', 'user/app', '1', undefined],
  ['registry-1.docker.io/user/app', 'registry-1.docker.io', 'user/app', undefined, undefined],
  ['user/app', 'docker.io', 'user/app', undefined, undefined],
  ['localhost', 'docker.io', 'library/localhost', undefined, undefined],
  ['localhost/app', 'localhost', 'app', undefined, undefined],
  ['localhost:5000/app', 'localhost:5000', 'app', undefined, undefined],
  ['localhost:5000', 'docker.io', 'library/localhost', '5000', undefined],
  ['host:5000/a/b/c:t', 'host:5000', 'a/b/c', 't', undefined],
  ['127.0.0.1:5000/app', '127.0.0.1:5000', 'app', undefined, undefined],
  ['[::1]/app', '[::1]', 'app', undefined, undefined],
  ['[::1]:5000/app:1', '[::1]:5000', 'app', '1', undefined],
  ['[2001:db8::A]:443/app', '[2001:db8::A]:443', 'app', undefined, undefined],
  ['HOST/app', 'HOST', 'app', undefined, undefined],
  ['Registry.Example.COM/app', 'Registry.Example.COM', 'app', undefined, undefined],
  ['xn--n3h.com/app', 'xn--n3h.com', 'app', undefined, undefined],
  ['quay.io/a/b_c/d__e/f.g/h---i', 'quay.io', 'a/b_c/d__e/f.g/h---i', undefined, undefined],
  ['ghcr.io/o/app:_1.0-rc', 'ghcr.io', 'o/app', '_1.0-rc', undefined],
  [`ghcr.io/o/app:${'t'.repeat(128)}`, 'ghcr.io', 'o/app', 't'.repeat(128), undefined],
  ['app:UPPER', 'docker.io', 'library/app', 'UPPER', undefined],
  [`debian@${SHA256}`, 'docker.io', 'library/debian', undefined, SHA256],
  [`debian:12@${SHA256}`, 'docker.io', 'library/debian', '12', SHA256],
  [`h:1/a@${SHA512}`, 'h:1', 'a', undefined, SHA512],
  [`h.io/${'a'.repeat(255)}`, 'h.io', 'a'.repeat(255), undefined, undefined],
  [HEX.slice(1), 'docker.io', `library/${HEX.slice(1)}`, undefined, undefined]
])('%s', (text, host, name, tag, digest) => {
  const reference = parseReference(text)
  expect([reference.host, reference.name, reference.tag, reference.digest]).toEqual([
    host,
    name,
    tag,
    digest
  ])
  expect(parseReference(formatReference(reference))).toEqual(reference)
})

test.each([
  ['', 'the name is empty'],
  [':12', 'the name is empty'],
  [`@${SHA256}`, 'the name is empty'],
  ['Debian', 'upper-case'],
  ['docker.io/Debian', 'upper-case'],
  ['user/App', 'upper-case'],
  ['https://ghcr.io/o/app', 'no scheme'],
  ['docker://debian', 'no scheme'],
  ['//debian', 'a part of the name is empty'],
  ['/debian', 'a part of the name is empty'],
  ['ghcr.io/', 'a part of the name is empty'],
  ['ghcr.io/o//app', 'a part of the name is empty'],
  ['ghcr.io/o/app/', 'a part of the name is empty'],
  ['ghcr.io/o/app/:1', 'a part of the name is empty'],
  ['a___b', 'joined by'],
  ['a..b', 'joined by'],
  ['a._b', 'joined by'],
  ['-a', 'joined by'],
  ['a-', 'joined by'],
  ['a b', 'joined by'],
  ['bücher/app', 'joined by'],
  ['user/app?x=1', 'joined by'],
  ['my_host:5000/app', 'the host is not'],
  ['-host.io/app', 'the host is not'],
  ['host:/app', 'the host is not'],
  ['host:port/app', 'the host is not'],
  ['::1/app', 'the host is not'],
  ['[::1/app', 'the host is not'],
  ['[fe80::1%eth0]:5000/app', 'the host is not'],
  ['user:secret@host.io/app', 'neither a user'],
  ['https://user:p@ss@host.io/app', 'neither a user'],
  ['host:0/app', 'the port'],
  ['host:65536/app', 'the port'],
  ['debian:', 'the tag is empty'],
  ['debian:.1', 'a tag is'],
  ['debian:-1', 'a tag is'],
  ['debian:a+b', 'a tag is'],
  [`debian:${'t'.repeat(129)}`, 'a tag is'],
  ['debian@', 'neither sha256 nor sha512'],
  ['debian@sha256:ab', '64 lower-case hex digits'],
  [`debian@sha256:${HEX.toUpperCase()}`, '64 lower-case hex digits'],
  [`debian@${SHA256}:1`, '64 lower-case hex digits'],
  [`debian@md5:${HEX.slice(32)}`, 'neither sha256 nor sha512'],
  [HEX, 'the id of an image'],
  [`h.io/${'a'.repeat(256)}`, 'longer than 255']
])('%s is refused', (text, reason) => {
  const { code, facts, hint } = failure(() => parseReference(text))
  expect(code).toBe('REFERENCE_INVALID')
  expect(facts.reason).toContain(reason)
  expect(hint).toContain('localhost:5000/app')
})

test('a password in a name is not shown', () => {
  for (const text of ['me:hunter2@h.io/app', 'https://me:hunter2@h.io/app', 'me:hunter2@x@h.io/a'])
    expect(JSON.stringify(failure(() => parseReference(text)).facts)).not.toContain('hunter2')
})

test('archives of images leave out the same', () => {
  for (const text of [
    'debian',
    'docker.io/debian',
    'user/app:1',
    'localhost/app',
    'H/a',
    '[::1]/a'
  ])
    expect(parseReference(fullDockerName(text))).toEqual({ tag: 'latest', ...parseReference(text) })
})
