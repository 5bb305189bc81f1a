/** `raw mtree-validate` on manifests of umoci, of this program and of others. */
import * as fs from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { buildImage } from '../support/image-builder.ts'
import { needs } from '../support/requires.ts'
import { ok, type Run } from '../support/run.ts'
import { directory, file, hardlink, symlink, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { ociUnpack, ociUnpackOk } from './cli.ts'

let work: string
let rootfs: string

beforeEach(() => {
  work = makeTemporary()
  rootfs = `${work}/bundle/rootfs`
})
afterEach(() => removeTemporary(work))

function validate(manifest: string, ...flags: string[]): Run {
  return ociUnpack('raw', 'mtree-validate', '-f', manifest, '-p', rootfs, ...flags)
}

function write(...lines: string[]): string {
  fs.writeFileSync(`${work}/manifest`, `${lines.join('\n')}\n`)
  return `${work}/manifest`
}

describe.runIf(needs('root', 'umoci', 'setfattr'))('the manifest of a bundle', () => {
  beforeEach(() => {
    const layer = tar(
      directory('d/'),
      file('d/sp ace', 'hello'),
      file('x', 'x'),
      hardlink('y', 'x'),
      symlink('l', 'x')
    )
    buildImage(`${work}/layout`, { layers: [layer] })
  })

  /** The path of the manifest that a program made with a bundle. */
  function unpack(program: 'umoci' | 'oci-unpack'): string {
    const args = ['unpack', '--image', `${work}/layout`, `${work}/bundle`]
    if (program === 'umoci') ok('umoci', ...args)
    else ociUnpackOk(...args)
    const name = fs.readdirSync(`${work}/bundle`).find((it) => it.endsWith('.mtree'))
    return `${work}/bundle/${name!}`
  }

  test.each(['umoci', 'oci-unpack'] as const)('of %s finds nothing in its own tree', (program) => {
    const manifest = unpack(program)
    expect(validate(manifest)).toEqual({ status: 0, stdout: '', stderr: '' })
    expect(validate(manifest, '--umoci-keywords', '--jobs=1').status).toBe(0)
  })

  test('finds every difference, and all there is of each', () => {
    const manifest = unpack('umoci')
    fs.chmodSync(`${rootfs}/d/sp ace`, 0o600)
    fs.chownSync(`${rootfs}/d/sp ace`, 3, 4)
    fs.truncateSync(`${rootfs}/d/sp ace`, 4)
    fs.utimesSync(`${rootfs}/d/sp ace`, 7, 7)
    ok('setfattr', '-n', 'user.k', '-v', 'v', `${rootfs}/d/sp ace`)
    fs.rmSync(`${rootfs}/l`)
    fs.mkdirSync(`${rootfs}/new`)
    const { status, stdout, stderr } = validate(manifest, '-k', 'size,mode uid,gid,tar_time,xattr')
    expect(status).toBe(1)
    expect(stderr).toContain('TREE_DIFFERS')
    expect(stdout.split('\n').filter((line) => !line.startsWith('M . '))).toEqual([
      expect.stringMatching(
        /^M d\/sp ace \(size 5 → 4, mode 0644 → 0600, uid 0 → 3, gid 0 → 4, tar_time \d+\.0+ → 7\.0+, xattr\.user\.k none → dg==\)$/
      ),
      '- l',
      '+ new',
      ''
    ])
    const json = validate(manifest, '--json', '-k=sha256').stdout.trim().split('\n')
    expect(json.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { kind: 'modified', path: 'd/sp ace', changes: [{ keyword: 'sha256digest' }] },
      { kind: 'deleted', path: 'l' },
      { kind: 'added', path: 'new' }
    ])
  })

  test('compares only what is asked for, and always the type', () => {
    const manifest = unpack('oci-unpack')
    fs.chmodSync(`${rootfs}/x`, 0o600)
    expect(validate(manifest, '--use-keywords', 'uid').status).toBe(0)
    expect(validate(manifest, '--use-keywords', 'uid', '-K', 'mode').stdout).toBe(
      'M x (mode 0644 → 0600)\nM y (mode 0644 → 0600)\n'
    )
    fs.rmSync(`${rootfs}/l`)
    fs.writeFileSync(`${rootfs}/l`, '')
    expect(validate(manifest, '-k', 'uid').stdout).toBe('M l (type link → file)\n')
  })
})

describe('a manifest of the BSDs', () => {
  beforeEach(() => {
    fs.mkdirSync(`${rootfs}/d`, { recursive: true, mode: 0o755 })
    fs.writeFileSync(`${rootfs}/d/f`, 'hello', { mode: 0o644 })
    fs.utimesSync(`${rootfs}/d/f`, 7, 7)
  })

  const SUMS = [
    'cksum=3287646509',
    'md5=5D41402ABC4B2A76B9719D911017C592',
    'sha1=aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d',
    'rmd160=108f07b8382412612c048d07d13f814118445acd',
    'sha512digest=9b71d224bd62f3785d96d46ad3ea3d73319bfbc2890caadae2dff72519673ca72323c3d99ba5c11d7c7acc6e14b8c5da0c4663475c2e5c3adef46f73bcdec043'
  ]

  test('is compared with all its digests, symbolic modes and exact times', () => {
    const line = `./d/f type=file mode=u=rw,go=r time=7.000000000 ${SUMS.join(' ')}`
    const manifest = write('. type=dir', './d type=dir mode=0755 flags=none', line)
    expect(validate(manifest)).toEqual({ status: 0, stdout: '', stderr: '' })
    fs.writeFileSync(`${rootfs}/d/f`, 'hellp')
    const { stdout } = validate(manifest)
    for (const keyword of ['cksum', 'md5digest', 'sha1digest', 'ripemd160digest', 'sha512digest'])
      expect(stdout).toContain(`${keyword} `)
    expect(stdout).toMatch(/^M d\/f \(time 7\.000000000 → /)
    const unstated = 'M . (keyword "mode" none → 0755)\n'
    expect(validate(manifest, '-k', 'mode')).toMatchObject({ status: 1, stdout: unstated })
  })

  test('may say what must not be looked at', () => {
    const nothing = ['. type=dir', './d type=dir ignore']
    expect(validate(write(...nothing)).stdout).toBe('')
    const optional = ['./d/f type=file', './gone type=file optional']
    expect(validate(write('. type=dir', './d type=dir', ...optional)).status).toBe(0)
    const file = './d/f type=dir mode=0 nochange'
    expect(validate(write('. type=dir', './d type=dir', file)).status).toBe(0)
    expect(validate(write('. type=dir', './d type=dir')).stdout).toBe('+ d/f\n')
  })

  test.runIf(needs('root'))('knows owners by name and devices by number', () => {
    ok('mknod', '-m', '666', `${rootfs}/null`, 'c', '1', '3')
    fs.chownSync(`${rootfs}/null`, 0, 54321)
    const rest = ['. type=dir', './d type=dir ignore']
    const claim = (device: string, names = 'uname=root gname=54321'): string =>
      validate(write(...rest, `./null type=char ${names} device=${device}`)).stdout
    for (const device of ['native,1,3', 'linux,1,3', '0x103', '259']) expect(claim(device)).toBe('')
    expect(claim('native,1,5')).toBe('M null (device native,1,5 → native,1,3)\n')
    expect(claim('0x105')).toBe('M null (device 0x105 → 259)\n')
    expect(claim('0x103', 'uname=nobody gname=54321')).toBe('M null (uname nobody → root)\n')
  })

  test('warns of keywords that cannot be compared here', () => {
    const manifest = write('. type=dir', './d type=dir flags=uarch wibble=1 ignore')
    const { status, stderr } = validate(manifest)
    expect(status).toBe(0)
    expect(stderr).toBe('warn: these keywords cannot be compared: flags, wibble\n')
  })
})

test('keywords that are asked for are compared, wherever there is a value', () => {
  fs.mkdirSync(rootfs, { recursive: true, mode: 0o755 })
  fs.writeFileSync(`${rootfs}/aki`, '')
  const manifest = write('. type=dir', 'aki type=file')
  expect(validate(manifest).status).toBe(0)
  for (const flags of [
    ['-k', 'sha1'],
    ['-K', 'link,sha1digest type']
  ]) {
    const { status, stdout } = validate(manifest, ...flags)
    expect(stdout).toBe(
      'M aki (keyword "sha1digest" none → da39a3ee5e6b4b0d3255bfef95601890afd80709)\n'
    )
    expect(status).toBe(1)
  }
  expect(validate(manifest, '--umoci-keywords').stdout).toContain('keyword "sha256digest"')
  const { status, stdout, stderr } = validate(manifest, '-k', 'mode,bogus')
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
  expect(stderr).toContain('unknown keyword "bogus"')
})

test.each<[string, string[]]>([
  ['no manifest', ['--path', '.']],
  ['no path', ['--manifest', '/dev/null']],
  ['a manifest that is not there', ['-f', '/nowhere', '-p', '.']],
  ['a path that is not there', ['-f', '/dev/null', '-p', '/nowhere']]
])('%s is refused', (_name, args) => {
  const { status, stdout, stderr } = ociUnpack('raw', 'mtree-validate', ...args)
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
  expect(stderr).not.toContain('internal error')
})

test('a damaged manifest is refused with its line', () => {
  fs.mkdirSync(rootfs, { recursive: true })
  expect(validate(write('. type=dir', 'a size=x')).stderr).toContain('Line 2')
})
