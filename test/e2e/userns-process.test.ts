/** The process of --userns: what it passes on, how it ends, and what it says if something is missing. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
  writeSync
} from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { needs } from '../support/requires.ts'
import { expectOk, ok, run, type Run } from '../support/run.ts'
import { ociUnpackCommand } from './cli.ts'
import { USERNS_TOOLS, UsernsBox } from './userns-box.ts'

describe.runIf(needs(...USERNS_TOOLS))('the process of --userns', () => {
  let box: UsernsBox

  beforeEach(() => {
    box = new UsernsBox()
  })
  afterEach(() => box.remove())

  test('passes on input, output, directory, arguments and status', () => {
    const add = 'raw add-layer --image layout:latest --tag added /dev/stdin'
    const script = `tar c --owner=40 -C layout . | "$@" --userns ${add}`
    expectOk(box.user.run('sh', '-ec', script, 'sh', ...ociUnpackCommand), 'add-layer')
    expect(box.inside('list', '--layout', 'layout').stdout).toBe('latest\nadded\n')
    expect(box.inside('list', '--layout', '--userns').stderr).toContain('/--userns\n')
    expect(box.inside('frobnicate').status).toBe(3)
    const json = box.inside('--progress=json', 'stat', '--image', 'layout:none')
    expect(JSON.parse(json.stderr)).toMatchObject({ type: 'error', code: 'TAG_NOT_FOUND' })
  })

  let input: number | undefined
  afterEach(() => {
    if (input !== undefined) closeSync(input)
    input = undefined
  })

  interface Waiting {
    outer: ChildProcess
    inner: number
    ended: Promise<unknown[]>
  }

  /** A command that waits for its input, which this process keeps open. */
  async function waiting(shell: readonly string[] = []): Promise<Waiting> {
    const fifo = `${box.user.home}/fifo`
    ok('mkfifo', '-m', '666', fifo)
    input = openSync(fifo, 'r+')
    writeSync(input, Buffer.alloc(512))
    const add = ['raw', 'add-layer', '--image', 'layout:latest', '--tag', 'new', 'fifo']
    const [first, ...args] = box.user.command(
      shell[0] ?? 'env',
      ...shell.slice(1),
      ...ociUnpackCommand,
      '--userns',
      ...add
    )
    const outer = spawn(first, args, { stdio: 'ignore' })
    const ended = once(outer, 'exit')
    await until(() => readdirSync(box.layout).length > LAYOUT.length)
    const program = shell.length === 0 ? outer.pid! : childOf(outer.pid!)
    return { outer, inner: childOf(program), ended }
  }

  const LAYOUT = ['blobs', 'index.json', 'oci-layout']

  test('stops on a signal, and leaves nothing', async () => {
    const { outer, inner, ended } = await waiting()
    outer.kill('SIGTERM')
    expect(await ended).toEqual([143, null])
    expect(isRunning(inner)).toBe(false)
    expect(readdirSync(box.layout).sort()).toEqual(LAYOUT)
  })

  test('dies of the signal that the command dies of', async () => {
    const { inner, ended } = await waiting()
    process.kill(inner, 'SIGKILL')
    expect(await ended).toEqual([null, 'SIGKILL'])
  })

  test('outlives its terminal where the shell ignores that', async () => {
    const { outer, inner, ended } = await waiting(['sh', '-c', `trap '' HUP; "$@"; exit $?`, 'sh'])
    process.kill(childOf(outer.pid!), 'SIGHUP')
    process.kill(inner, 'SIGHUP')
    await pause(700)
    expect(isRunning(inner)).toBe(true)
    process.kill(inner, 'SIGTERM')
    expect(await ended).toEqual([143, null])
  })

  test('takes the command with it', async () => {
    const { outer, inner } = await waiting()
    outer.kill('SIGKILL')
    await until(() => !isRunning(inner))
    expect(readdirSync(box.layout).sort()).toEqual(LAYOUT)
  })

  test.each([
    ['--uid-map', '0:0:1'],
    ['--gid-map', '0:0:1']
  ])('is refused with %s', (...map) => {
    const { status, stderr } = box.inside('unpack', '--image', box.image, ...map, box.bundle)
    expect(status).toBe(1)
    expect(stderr).toContain(`--userns and ${map[0]} cannot be used together. [USAGE]`)
  })

  /** Runs with these programs (`undefined`: not there) in the only directory of PATH. */
  function withPrograms(programs: Record<string, string | undefined>): Run {
    const path = `${box.user.home}/bin`
    mkdirSync(path)
    const own = ['sh', 'readlink', 'unshare', 'newuidmap', 'newgidmap']
    for (const name of own.filter((it) => !(it in programs)))
      symlinkSync(ok('sh', '-c', `command -v ${name}`).stdout.trim(), `${path}/${name}`)
    for (const [name, script] of Object.entries(programs))
      if (script !== undefined)
        writeFileSync(`${path}/${name}`, `#!/bin/sh\n${script}\n`, { mode: 0o755 })
    const list = ['--userns', 'list', '--layout', 'layout']
    return box.user.run('/usr/bin/env', `PATH=${path}`, ...ociUnpackCommand, ...list)
  }

  test.each([
    [
      'no newuidmap',
      { newuidmap: undefined },
      /program newuidmap is required.*\n.*PATH\n.*package uidmap/
    ],
    [
      'no newgidmap',
      { newgidmap: undefined },
      /program newgidmap is required.*\n.*PATH\n.*package uidmap/
    ],
    [
      'no unshare',
      { unshare: undefined },
      /program unshare is required.*\n.*PATH\n.*package util-linux/
    ],
    [
      'no right to make a namespace',
      { unshare: 'echo "unshare: unshare failed: Operation not permitted" >&2; exit 1' },
      /does not let this user make a user namespace.*\n +stderr: unshare: unshare failed.*\n.*--rootless/
    ],
    [
      'newuidmap without privileges',
      {
        newuidmap: 'echo "newuidmap: write to uid_map failed: Operation not permitted" >&2; exit 1'
      },
      /newuidmap could not give.*\n +call: newuidmap \d+ 0 \d+ 1 1 \d+ 65536\n +status: 1\n +stderr: newuidmap: write.*\n.*set-user-ID root/
    ]
  ])('says what is missing: %s', (_what, programs, message) => {
    const { status, stderr, stdout } = withPrograms(programs)
    expect([status, stdout]).toEqual([1, ''])
    expect(stderr).toContain('[USERNS_UNAVAILABLE]')
    expect(stderr).toMatch(message)
  })

  test('says which line to add for subordinate ids, and then works', () => {
    const { name, subgid } = box.user
    ok('usermod', '--del-subgids', `${subgid}-${subgid + 65_535}`, name)
    const { status, stderr } = box.inside('list', '--layout', 'layout')
    expect(status).toBe(1)
    expect(stderr).toContain(`User ${name} has no subordinate gids. [USERNS_UNAVAILABLE]`)
    const [, start, range] =
      /expected: \S+:(\d+):65536\n.*--add-subgids (\d+-\d+) /.exec(stderr) ?? []
    expect(range).toBe(`${start}-${Number(start) + 65_535}`)
    ok('usermod', '--add-subgids', range!, name)
    expect(box.inside('list', '--layout', 'layout').stdout).toBe('latest\n')
  })

  test('a user without an account has no subordinate ids', () => {
    const id = '3999999'
    const become = ['--reuid', id, '--regid', id, '--clear-groups', 'env', '-i']
    const path = `PATH=${process.env.PATH!}`
    const list = ['--userns', 'list', '--layout', '/']
    const { stderr } = run('setpriv', ...become, path, ...ociUnpackCommand, ...list)
    expect(stderr).toMatch(/User 3999999 has no subordinate uids[^]*expected: 3999999:\d+:65536\n/)
  })
})

function childOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8'))
}

async function until(isTrue: () => boolean): Promise<void> {
  for (let tries = 0; tries < 200 && !isTrue(); tries++) await pause(50)
  expect(isTrue()).toBe(true)
}

function isRunning(pid: number): boolean {
  try {
    return !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}
