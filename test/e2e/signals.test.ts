/** Each signal that ends a program ends ours cleanly, with the exit status that shells know it by. */
import { randomBytes } from 'node:crypto'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  writeFileSync
} from 'node:fs'
import { constants } from 'node:os'
import { setTimeout } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { buildImage } from '../support/image-builder.ts'
import { waitReadable } from '../../src/sys/pipe.ts'
import { needs } from '../support/requires.ts'
import { ok } from '../support/run.ts'
import { file, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { ociUnpackCommand } from './cli.ts'

const SIGNALS = [
  'SIGINT',
  'SIGTERM',
  'SIGHUP',
  'SIGQUIT',
  'SIGALRM',
  'SIGIO',
  'SIGPWR',
  'SIGSTKFLT',
  'SIGUSR2',
  'SIGVTALRM',
  'SIGXCPU'
] as const

let work: string
let child: ChildProcess
beforeEach(() => {
  work = makeTemporary()
  mkdirSync(`${work}/box`)
})
afterEach(() => {
  child.kill('SIGKILL')
  removeTemporary(work)
})

describe.runIf(needs('root', 'nohup', 'script'))('an unpack', () => {
  test.each(SIGNALS)('is ended by %s, and leaves nothing', async (signal) => {
    await start()
    child.kill(signal)
    expect(await ended()).toEqual([128 + constants.signals[signal], null])
    expect(readdirSync(`${work}/box`)).toEqual([])
  })

  test.each(['SIGHUP', 'SIGXCPU'] as const)(
    'ends as cleanly where %s comes again',
    async (signal) => {
      await start()
      const again = setInterval(() => child.kill(signal), 1)
      expect(await ended()).toEqual([128 + constants.signals[signal], null])
      clearInterval(again)
      expect(readdirSync(`${work}/box`)).toEqual([])
    }
  )

  test.each(['SIGINT', 'SIGTERM', 'SIGQUIT'] as const)(
    'ends as cleanly where %s comes twice at once, as timeout(1) sends it',
    async (signal) => {
      await start()
      child.kill(signal)
      await setTimeout(3)
      child.kill(signal)
      expect(await ended()).toEqual([128 + constants.signals[signal], null])
      expect(readdirSync(`${work}/box`)).toEqual([])
    }
  )

  test.each(['SIGINT', 'SIGTERM', 'SIGQUIT'] as const)(
    'whose hook is deaf is ended at once by a further %s',
    async (signal) => {
      const toml = `version = 1\nname = "deaf"\n[unpack.ociv1.prepare]\ncommand = ["${work}/deaf"]\n`
      writeFileSync(`${work}/hooks.toml`, toml, { mode: 0o600 })
      writeFileSync(
        `${work}/deaf`,
        `#!/bin/sh\ncd ${work}\ntrap '' TERM\n${SAY}\nsleep 60 & wait\n`,
        { mode: 0o755 }
      )
      await start('exec "$@"', '--hooks', `${work}/hooks.toml`)
      child.kill('SIGHUP')
      await setTimeout(200)
      child.kill(signal)
      expect(await ended()).toEqual([null, signal])
      process.kill(-said('pid'), 'SIGKILL')
    }
  )

  test.each([
    ['by nohup', 'exec script -qec "nohup $*" /dev/null'],
    ['by a shell that ignores it', `trap '' HUP; "$@"; exit $?`]
  ])('that is started %s outlives SIGHUP', async (_name, script) => {
    await start(script)
    process.kill(said('parent'), 'SIGHUP')
    await setTimeout(200)
    process.kill(said('parent'), 'SIGTERM')
    expect(await ended()).toEqual([143, null])
    expect(readdirSync(`${work}/box`)).toEqual([])
  })
})

test('SIGTERM ends a command whose output nobody reads', async () => {
  ok('mkfifo', `${work}/fifo`)
  const fifo = openSync(`${work}/fifo`, 'r+')
  try {
    const { layout } = buildImage(`${work}/layout`, { layers: [] })
    const index = JSON.parse(readFileSync(`${layout}/index.json`, 'utf8')) as {
      manifests: object[]
    }
    const manifests = Array.from({ length: 10_000 }, () => index.manifests[0]!)
    writeFileSync(`${layout}/index.json`, JSON.stringify({ ...index, manifests }))
    const [node, main] = ociUnpackCommand
    child = spawn(node, [main, 'list', '--layout', layout], { stdio: ['ignore', fifo, 'ignore'] })
    while (!waitReadable(fifo, 100)) await setTimeout(1)
    child.kill('SIGTERM')
    expect(await ended()).toEqual([143, null])
  } finally {
    closeSync(fifo)
  }
})

/** What a program that hangs does first: it says who it is and who has started it. */
const SAY = 'echo $PPID >parent; echo $$ >pid; mv pid said.pid; mv parent said.parent'

/** An unpack that a shell starts, in the middle of which a decompressor hangs. */
async function start(script = 'exec "$@"', ...options: string[]): Promise<void> {
  // programs are started for large layers only
  const layers = [tar(file('x', randomBytes(2 ** 20).toString('hex')))]
  const { reference } = buildImage(`${work}/layout`, { layers })
  writeFileSync(`${work}/hangs`, `#!/bin/sh\ncd ${work}\n${SAY}\nexec sleep 60\n`, { mode: 0o755 })
  const args = ['--decompressor', `${work}/hangs`, '--image', reference, `${work}/box/bundle`]
  const command = [...ociUnpackCommand, 'unpack', ...options, ...args]
  child = spawn('bash', ['-c', script, 'bash', ...command], { cwd: work, stdio: 'ignore' })
  while (!existsSync(`${work}/said.parent`)) {
    expect(child.exitCode).toBe(null)
    await setTimeout(5)
  }
}

function said(what: 'pid' | 'parent'): number {
  return Number(readFileSync(`${work}/said.${what}`, 'utf8'))
}

async function ended(): Promise<[number | null, NodeJS.Signals | null]> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  return [child.exitCode, child.signalCode]
}
