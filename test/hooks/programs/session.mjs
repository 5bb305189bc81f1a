#!/usr/bin/env node
// A hook that answers many calls at once, in the order of their layers' sizes. The image's reference says how it behaves.
import { spawn } from 'node:child_process'
import { appendFileSync, closeSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { setTimeout } from 'node:timers'

const YES = { status: 'yes', target: '/srv/layer' }

/** Answers, or does something else about the call. */
const behaviours = {
  yes: () => YES,
  json: () => YES,
  decline: () => ({ status: 'decline' }),
  'busy-twice': ({ state }) => (turns(state) > 2 ? YES : { status: 'busy' }),
  'always-busy': () => ({ status: 'busy' }),
  fail: () => {
    writeSync(2, 'disk on fire\n')
    return { status: 'failed', message: 'it burns' }
  },
  hang: hang,
  'hang-stubborn': (request) => {
    process.on('SIGTERM', () => undefined)
    return hang(request)
  },
  'flood-out': ({ state }) => {
    writeFileSync(`${state}/pid`, String(process.pid))
    spawn('cat', ['/dev/zero'], { stdio: 'inherit' })
  },
  'flood-err': () => {
    process.stderr.write(`${'x'.repeat(3_000_000)}end\n`)
    return YES
  },
  half: ({ id }) => {
    writeSync(1, `{"id": ${id}, "sta`)
    process.exit(0)
  },
  killed: () => {
    writeSync(2, 'so long\n')
    process.kill(process.pid, 'SIGKILL')
  },
  unknown: () => {
    writeSync(2, 'which colour?\n')
    return { ...YES, colour: 'blue' }
  },
  relative: () => ({ status: 'yes', target: 'srv/layer' }),
  newline: () => ({ status: 'yes', target: '/srv/la\nyer' }),
  nothing: () => ({ status: 'yes' }),
  late: ({ size }) => new Promise((resolve) => setTimeout(resolve, size, YES)),
  pid: () => ({ status: 'yes', target: `/proc/${process.pid}` }),
  orphans: () => {
    spawn('sleep', ['1000'], { stdio: 'ignore' }).on('spawn', () => process.exit(3))
  },
  mute: () => {
    closeSync(1)
  },
  garbage: () => writeSync(1, 'ready to serve\n') && undefined,
  'wrong-id': () => ({ ...YES, id: 999 }),
  'wrong-status': () => ({ status: 'maybe' }),
  echo: (request) => {
    writeFileSync(`${request.state}/echo`, JSON.stringify(request))
    return YES
  },
  list: () => ({ status: 'yes', paths: ['etc/passwd', 'usr/', 'ä'] })
}

function turns(state) {
  appendFileSync(`${state}/turns`, 'turn\n')
  return readFileSync(`${state}/turns`, 'utf8').split('\n').length - 1
}

function hang({ state }) {
  spawn('sleep', ['1000'])
  writeFileSync(`${state}/pid`, String(process.pid))
}

createInterface({ input: process.stdin }).on('line', async (line) => {
  const request = JSON.parse(line)
  const answer = await behaviours[request.reference](request)
  if (answer !== undefined)
    process.stdout.write(`${JSON.stringify({ id: request.id, ...answer })}\n`)
})
