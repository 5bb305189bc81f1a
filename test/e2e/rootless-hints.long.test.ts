/** What ordinary users without much of an account read and get: hints at `--rootless`, and no need for a home. */
import { mkdirSync, readdirSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildImage } from '../support/image-builder.ts'
import { needs } from '../support/requires.ts'
import { ok, run, type Run } from '../support/run.ts'
import { directory, file, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { ociUnpack, ociUnpackCommand } from './cli.ts'

/** A number that no account has. */
const UID = 51_500

const HINT = '--rootless may help'

let work = ''
let reference = ''
beforeAll(() => {
  work = makeTemporary()
  reference = buildImage(`${work}/layout`, {
    layers: [tar(directory('d/'), file('d/f', 'f'))]
  }).reference
  mkdirSync(`${work}/closed/d`, { recursive: true })
  ok('chown', '-R', `${UID}:${UID}`, work)
  ok('chown', 'root:root', `${work}/closed/d`)
  ok('chmod', '700', `${work}/closed/d`)
  ok('sh', '-euc', 'printf "#mtree\\n. type=dir\\n" >"$0/manifest"', work)
})
afterAll(() => removeTemporary(work))

/** As the user, with these variables and no others. */
function asUser(environment: readonly string[], ...args: string[]): Run {
  const become = ['--reuid', String(UID), '--regid', String(UID), '--clear-groups']
  const clean = ['env', '-i', `--chdir=${work}`, 'PATH=/usr/bin:/bin', ...environment]
  return run('setpriv', ...become, ...clean, ...ociUnpackCommand, ...args)
}

describe.runIf(needs('root', 'setpriv'))('what only root may do', () => {
  const REFUSED: readonly (readonly string[])[] = [
    ['unpack', '--image', 'IMAGE', 'bundle'],
    ['raw', 'unpack', '--image', 'IMAGE', 'tree'],
    ['insert', '--image', 'IMAGE', 'closed', 'target'],
    ['raw', 'mtree-validate', '-f', 'manifest', '-p', 'closed']
  ]
  const OTHERS: readonly (readonly string[])[] = [
    ['ls', '--layout', 'closed/d'],
    ['init', '--layout', '/usr/layout'],
    ['repack', '--image', 'IMAGE', 'closed/d/bundle']
  ]

  test.each(REFUSED)('suggests --rootless to an ordinary user: %s %s', (...args) => {
    const { status, stderr } = asUser([], ...named(args))
    expect(status).toBe(1)
    expect(stderr).toMatch(/E(PERM|ACCES)/)
    expect(stderr).toContain(HINT)
    expect(readdirSync(work).sort()).toEqual(['closed', 'layout', 'manifest'])
  })

  test.each(OTHERS)('does not where there is no such flag: %s %s', (...args) => {
    const { status, stderr } = asUser([], ...named(args))
    expect(status).toBe(1)
    expect(stderr).toMatch(/E(PERM|ACCES)/)
    expect(stderr).not.toContain('rootless')
  })

  test('does not where it was given', () => {
    const { stderr } = asUser([], 'unpack', '--rootless', '--image', reference, '/usr/bundle')
    expect(stderr).toMatch(/E(PERM|ACCES)/)
    expect(stderr).not.toContain('may help')
  })

  test('does not to root', () => {
    const { stderr } = ociUnpack('unpack', '--image', reference, '/proc/bundle')
    expect(stderr).toContain('SYSCALL_FAILED')
    expect(stderr).not.toContain('rootless')
  })
})

describe.runIf(needs('root', 'setpriv'))('an account', () => {
  const HOMES: Readonly<Record<string, readonly string[]>> = {
    'without HOME': [],
    "with root's HOME": ['HOME=/root'],
    'with an empty HOME': ['HOME='],
    'with a HOME that does not exist': ['HOME=/nonexistent'],
    'with a HOME that is a file': ['HOME=/etc/hostname'],
    'with a cache that belongs to root': ['HOME=/root', 'XDG_CACHE_HOME=/root/.cache'],
    'with a configuration that belongs to root': ['HOME=/root', 'XDG_CONFIG_HOME=/root/.config']
  }

  test.each(Object.entries(HOMES))('%s can unpack, repack and delete', (_, environment) => {
    const done = doneWith(environment)
    done('unpack', '--rootless', '--image', reference, 'bundle')
    done('diff', 'bundle')
    done('repack', '--image', `${work}/layout:new`, 'bundle')
    done('bundle', 'delete', 'bundle')
  })

  test.each(Object.entries(HOMES).slice(0, 2))('%s can use all commands', (_, environment) => {
    const done = doneWith(environment)
    done('raw', 'unpack', '--rootless', '--image', reference, 'tree')
    done('insert', '--rootless', '--image', reference, '--tag', 'new', 'tree', 'x')
    const rootfs = ['--rootfs', 'tree', 'config.json']
    done('raw', 'runtime-config', '--rootless', '--image', reference, ...rootfs)
    done('config', '--image', reference, '--tag', 'new', '--config.cmd', 'x')
    done('verify', '--layout', 'layout')
    done('stat', '--image', reference)
    done('file', 'list', '--image', reference)
    done('gc', '--layout', 'layout')
    ok('rm', '-r', `${work}/tree`, `${work}/config.json`)
  })

  function doneWith(environment: readonly string[]): (...args: string[]) => void {
    return (...args) => {
      const expected = { args, status: 0, stderr: '' }
      expect({ args, ...asUser(environment, ...args) }).toMatchObject(expected)
    }
  }
})

function named(args: readonly string[]): string[] {
  return args.map((arg) => (arg === 'IMAGE' ? reference : arg))
}
