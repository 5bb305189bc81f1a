/** What only a session can do, or can do wrong. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { HookSet } from '../../src/hooks/calls.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { deltaListContext, digest, layerContext } from './contexts.ts'
import { failureOf, hooksToml, load, membersOf, program } from './support.ts'

async function withSession(
  work: (set: HookSet, directory: string) => Promise<void>
): Promise<void> {
  const directory = makeTemporary()
  const lines = 'mode = "session"\ntimeout = "10s"'
  const points = ['try-skip', 'pre-extract', 'post-extract', 'finish', 'delta-list'] as const
  const set = load(directory, hooksToml([program('session.mjs')], lines, points))
  try {
    await work(set, directory)
  } finally {
    await set.close()
    removeTemporary(directory)
  }
}

/** The process that answers, by its own word. */
async function processOf(set: HookSet): Promise<number> {
  const outcome = await set.call('try-skip', layerContext('pid'))
  if (outcome.status !== 'yes') throw new Error('declined')
  return Number(outcome.answer.target!.split('/').at(-1))
}

describe('a session', () => {
  test('is one process for all points that name its command', () =>
    withSession(async (set) => {
      const first = await processOf(set)
      const second = await set.call('pre-extract', layerContext('pid'))
      expect(second).toEqual({ status: 'yes', answer: { target: `/proc/${first}` } })
    }))

  test('answers many calls at once, in any order', () =>
    withSession(async (set) => {
      const order: number[] = []
      const sizes = [300, 200, 100, 1]
      await Promise.all(
        sizes.map(async (size) => {
          await set.call('try-skip', { ...layerContext('late'), size })
          order.push(size)
        })
      )
      expect(order).toEqual([1, 100, 200, 300])
    }))

  test('gets the whole context with the hook’s name, protocol and key', () =>
    withSession(async (set, directory) => {
      const context = layerContext('echo', directory)
      await set.call('try-skip', context)
      expect(JSON.parse(readFileSync(join(directory, 'echo'), 'utf8'))).toEqual({
        ...context,
        id: 1,
        protocol: 1,
        hook: 'unpack.ociv1.layer.try-skip',
        key: context.chainId
      })
    }))

  test('lists changed paths in its answer', () =>
    withSession(async (set) => {
      const outcome = await set.call('delta-list', deltaListContext('list'))
      expect(outcome).toMatchObject({
        answer: {
          paths: { entries: new Set(['etc/passwd', '\xc3\xa4']), trees: new Set(['usr']) }
        }
      })
    }))

  test('that dies fails all calls in flight, and is started anew for the next', () =>
    withSession(async (set) => {
      const before = await processOf(set)
      const others = [5_000, 6_000].map((size) =>
        failureOf(set.call('try-skip', { ...layerContext('late'), size }))
      )
      const killed = await failureOf(set.call('try-skip', layerContext('killed')))
      for (const error of [killed, ...(await Promise.all(others))])
        expect(error).toMatchObject({ code: 'HOOK_FAILED', facts: { stderr: 'so long' } })
      expect(await processOf(set)).not.toBe(before)
    }))

  test.each([
    ['orphans', 'exit status 3'],
    ['mute', 'killed by SIGTERM']
  ])('that can answer no more leaves nothing behind: %s', (reference, status) =>
    withSession(async (set) => {
      const pid = await processOf(set)
      const error = await failureOf(set.call('try-skip', layerContext(reference)))
      expect(error).toMatchObject({ code: 'HOOK_FAILED', facts: { status } })
      expect(membersOf(pid)).toEqual([])
    })
  )

  test.each([
    ['garbage', 'not JSON'],
    ['wrong-id', 'was not made']
  ])('that says what cannot be understood is ended: %s', (reference, reason) =>
    withSession(async (set) => {
      const pid = await processOf(set)
      const error = await failureOf(set.call('try-skip', layerContext(reference)))
      expect(error.code).toBe('HOOK_ANSWER_INVALID')
      expect(error.facts.reason).toContain(reason)
      expect(membersOf(pid)).toEqual([])
    })
  )

  test('with an unknown status fails that call alone', () =>
    withSession(async (set) => {
      const pid = await processOf(set)
      const error = await failureOf(set.call('try-skip', layerContext('wrong-status')))
      expect(error).toMatchObject({ code: 'HOOK_ANSWER_INVALID', facts: { found: 'maybe' } })
      expect(await processOf(set)).toBe(pid)
    }))

  test('is gone after close', () =>
    withSession(async (set) => {
      const pid = await processOf(set)
      expect(membersOf(pid)).not.toEqual([])
      await set.close()
      expect(membersOf(pid)).toEqual([])
    }))

  test('that does not mind its closed input is ended all the same', async () => {
    const directory = makeTemporary()
    const script = 'read -r line; echo \'{"id": 1, "status": "decline"}\'; exec sleep 1000'
    const set = load(
      directory,
      hooksToml(['sh', '-c', script], 'mode = "session"', ['gc'], 'rootfs')
    )
    try {
      expect(await set.call('gc', { liveKeys: [digest('a')] })).toEqual({ status: 'decline' })
      const start = performance.now()
      await set.close()
      expect(performance.now() - start).toBeGreaterThan(1_900)
    } finally {
      await set.close()
      removeTemporary(directory)
    }
  })
})
