import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sessionSet, shippedSet } from '../conformance/kit.ts'
import { buildImage } from '../support/image-builder.ts'
import { needs } from '../support/requires.ts'
import { ok } from '../support/run.ts'
import { file, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { ociUnpack, ociUnpackCommand, ociUnpackOk } from './cli.ts'

let work: string
beforeAll(() => {
  work = makeTemporary()
})
afterAll(() => removeTemporary(work))

describe('hooks check', () => {
  test('prints each point with what would run', () => {
    const toml = shippedSet('pool', `${work}/check`)
    const { stdout } = ociUnpackOk('hooks', 'check', toml)
    const lines = stdout.split('\n')
    expect(lines[0]).toBe(`pool: ${toml}`)
    expect(lines[1]).toBe('extract chain, manifest auto, rootless')
    expect(lines[2]).toMatch(/^storage (?:btrfs|reflink|plain): /)
    expect(stdout).toMatch(
      new RegExp(`^unpack\\.ociv1\\.finish +exec +30m +${work}/check/set/pool finish$`, 'm')
    )
    expect(stdout).toMatch(/^unpack\.ociv1\.merge +- +- +-$/m)
  })

  test('prints what a set says of its storage, and fails as that does', () => {
    const toml = shippedSet('pool', `${work}/forced`, { BACKEND: 'plain' })
    expect(ociUnpackOk('hooks', 'check', toml).stdout).toMatch(/^storage plain: copies$/m)
    const json = ociUnpackOk('hooks', 'check', '--json', toml).stdout
    expect((JSON.parse(json) as { storage: string }).storage).toBe('plain: copies')
    expect(existsSync(`${work}/forced/store`)).toBe(false)
    const wrong = shippedSet('pool', `${work}/wrong`, { BACKEND: 'fast' })
    const { status, stderr } = ociUnpack('hooks', 'check', wrong)
    expect(status).toBe(1)
    expect(stderr).toMatch(/HOOK_FAILED[^]*BACKEND must be auto, btrfs, zfs, reflink or plain/)
  })

  test('prints the same as JSON', () => {
    const toml = sessionSet(`${work}/check-session`)
    const { stdout } = ociUnpackOk('hooks', 'check', '--json', toml)
    const { file: path, points } = JSON.parse(stdout) as { file: string; points: object[] }
    expect(path).toBe(toml)
    expect(points).toHaveLength(17)
    expect(points).toContainEqual({
      point: 'store.gc',
      hook: { command: expect.any(Array) as unknown, timeout: 60_000, mode: 'session' }
    })
  })

  test('says what a storage cannot hold', () => {
    const toml = `${work}/less.toml`
    const text = 'version = 1\nname = "x"\nprecision = "seconds"\nxattrs = "user security"\n'
    writeFileSync(toml, text, { mode: 0o600 })
    const { stdout } = ociUnpackOk('hooks', 'check', toml)
    expect(stdout.split('\n')[1]).toBe(
      'extract rootfs, manifest auto, precision seconds, xattrs user security'
    )
    writeFileSync(toml, text.replace('user security', 'user.a'), { mode: 0o600 })
    const refused = ociUnpack('hooks', 'check', toml)
    expect(refused.stderr).toMatch(/line: 4[^]*xattrs/)
  })

  test('lists the functions of a module', () => {
    const module = `${work}/hooks.mjs`
    writeFileSync(
      module,
      'export default { name: "mine", timeout: 5000, delete() {}, check: () => ({ storage: "here" }) }'
    )
    const { stdout } = ociUnpackOk('hooks', 'check', module)
    expect(stdout.split('\n').slice(0, 3)).toEqual([
      `mine: ${module}`,
      'extract rootfs, manifest auto',
      'storage here'
    ])
    expect(stdout).toMatch(/^bundle\.delete +function +5s +delete$/m)
    expect(stdout).toMatch(/^store\.gc +- +- +-$/m)
    writeFileSync(module, 'export default { delte() {} }')
    expect(ociUnpack('hooks', 'check', module).stderr).toContain('Did you mean "delete"?')
    writeFileSync(module, 'export default 1 +')
    expect(ociUnpack('hooks', 'check', module).stderr).toMatch(/cannot be loaded.*HOOKS_INVALID/)
  })

  test('names the line of a mistake', () => {
    const toml = `${work}/bad.toml`
    writeFileSync(toml, 'version = 1\nname = "x"\nextrct = "layer"\n', { mode: 0o600 })
    const { status, stderr } = ociUnpack('hooks', 'check', toml)
    expect(status).toBe(1)
    expect(stderr).toMatch(/HOOKS_INVALID[^]*line: 3[^]*extract/)
  })
})

test('hooks test --list prints each case with what it tests', () => {
  const { stdout } = ociUnpackOk('hooks', 'test', '--list')
  expect(stdout).toMatch(/^cold unpack\n {9}All layers .*\nwarm unpack\n/)
  const cases = JSON.parse(ociUnpackOk('hooks', 'test', '--list', '--json').stdout) as object[]
  expect(cases).toContainEqual({
    name: 'renamed parent',
    contract: expect.stringContaining('OCI_UNPACK_STATE') as unknown
  })
})

test('a destination below a file is refused in words, before any hook is called', () => {
  const { reference } = buildImage(`${work}/below`, { layers: [] })
  writeFileSync(`${work}/file`, '')
  const hooks = ['--hooks', shippedSet('pool', `${work}/below-set`)]
  const { status, stderr } = ociUnpack('unpack', ...hooks, '--image', reference, `${work}/file/x`)
  expect([status, stderr]).toEqual([
    1,
    expect.stringContaining('a part of the path is not a directory')
  ])
  expect(stderr).toContain(`path: ${work}/file/x`)
  expect(existsSync(`${work}/below-set/store`)).toBe(false)
})

describe.runIf(needs('root', 'setfattr'))('a set on the command line', () => {
  test('unpacks, is collected and deleted', () => {
    const home = `${work}/life`
    const hooks = shippedSet('pool', home)
    const { layout, reference } = buildImage(`${home}/layout`, { layers: [tar(file('a', 'a'))] })
    const bundle = `${home}/bundle`
    ociUnpackOk('unpack', '--hooks', hooks, '--image', reference, bundle)
    const { stdout } = ociUnpackOk('hooks', 'gc', '--hooks', hooks, '--layout', layout, '--json')
    expect((JSON.parse(stdout) as { liveKeys: string[] }).liveKeys).toHaveLength(1)
    expect(collect(hooks, layout)).toBe('pool: 0 layers removed, 1 layer needed\n')
    const empty = buildImage(`${home}/empty`, { layers: [] }).layout
    expect(collect(hooks, empty)).toBe('pool: 1 layer removed, 0 layers needed\n')
    const refused = ociUnpack('bundle', 'delete', '--no-hooks', bundle)
    expect(refused.status).toBe(1)
    expect(refused.stderr).toContain('expected: the hooks "pool"')
    expect(readFileSync(`${bundle}/rootfs/a`, 'utf8')).toBe('a')
    ociUnpackOk('bundle', 'delete', '--hooks', hooks, bundle)
    expect(existsSync(bundle)).toBe(false)
    expect(ociUnpack('bundle', 'delete', '--hooks', hooks, bundle).stderr).toContain('no bundle')
  })

  test.runIf(needs('strace'))('is recorded on disk before the record has its name', () => {
    const home = `${work}/durable`
    const hooks = shippedSet('pool', home)
    const { reference } = buildImage(`${home}/layout`, { layers: [tar(file('a', 'a'))] })
    const log = `${home}/calls`
    const strace = ['strace', '-f', '-y', '-o', log, '-e', 'trace=fsync,rename'] as const
    const unpack = ['unpack', '--hooks', hooks, '--image', reference, `${home}/bundle`]
    ok(...strace, ...ociUnpackCommand, ...unpack)
    const calls = readFileSync(log, 'utf8').match(/(?:fsync|rename)(?=\(.*hooks\.json\.new)/g)
    expect(calls).toEqual(['fsync', 'rename', 'fsync', 'rename'])
    ociUnpackOk('bundle', 'delete', '--hooks', hooks, `${home}/bundle`)
  })

  test('is tested: a row for each case, and the exit status', () => {
    const home = `${work}/test`
    const hooks = shippedSet('pool', home)
    mkdirSync(`${home}/bundles`)
    const cases = ['--case', 'cold unpack', '--case', 'gc', '--directory', `${home}/bundles`]
    const { stdout } = ociUnpackOk('hooks', 'test', ...cases, hooks)
    expect(stdout).toMatch(
      /^passed +[\d.]+ s {2}cold unpack\nskipped +0.0 s {2}gc\n +it would remove/
    )
    expect(stdout).toContain('pool: 1 passed, 0 failed, 1 skipped')
    writeFileSync(hooks, readFileSync(hooks, 'utf8').replace('"finish"', '"prepare"'))
    const broken = ociUnpack('hooks', 'test', '--json', ...cases, hooks)
    expect(broken.status).toBe(1)
    const { ok, rows } = JSON.parse(broken.stdout) as { ok: boolean; rows: object[] }
    expect(ok).toBe(false)
    expect(rows[0]).toMatchObject({ case: 'cold unpack', verdict: { kind: 'failed' } })
  })
})

function collect(hooks: string, layout: string): string {
  return ociUnpackOk('hooks', 'gc', '--hooks', hooks, '--layout', layout).stdout
}
