/** Requests: which are answered, and which errors the others get. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Step } from '../../src/nbd/conversation.ts'
import { refusedReply } from '../../src/nbd/replies.ts'
import { converse } from '../../src/nbd/session.ts'
import {
  clientFlags,
  contextData,
  cutReply,
  errorOf,
  infoData,
  option,
  request,
  u64,
  type RequestFields
} from '../support/nbd-messages.ts'

const SIZE = 2 ** 30
const MIB_32 = 2 ** 25

const EPERM = 1
const EINVAL = 22
const EOVERFLOW = 75
const ESHUTDOWN = 108

const READ = 0
const WRITE = 1
const DISC = 2
const FLUSH = 3
const TRIM = 4
const CACHE = 5
const WRITE_ZEROES = 6
const BLOCK_STATUS = 7
const FUA = 1
const DF = 4
const REQ_ONE = 8
const FAST_ZERO = 16

const exports = [
  { name: 'a', size: SIZE },
  { name: 'b', size: 1 }
] as const

type Form = 'simple' | 'structured' | 'with contexts' | 'with contexts of another'

const HANDSHAKES: Readonly<Record<Form, Buffer[]>> = {
  simple: [],
  structured: [option(8)],
  'with contexts': [option(8), option(10, contextData('', 'base:allocation'))],
  'with contexts of another': [option(8), option(10, contextData('b', 'base:allocation'))]
}

function steps(form: Form, bytes: Buffer, closing = false): { steps: Step[]; isOver: boolean } {
  let isClosing = false
  const conversation = converse({ exports, isClosing: () => isClosing })
  const before = Buffer.concat([clientFlags(3), ...HANDSHAKES[form], option(7, infoData('a'))])
  expect([...conversation.receive(before)].at(-1)?.kind).toBe('agreed')
  isClosing = closing
  return { steps: [...conversation.receive(bytes)], isOver: conversation.isOver }
}

/** The error of the only reply; the request itself if it is to be answered. */
function outcome(form: Form, fields: RequestFields): unknown {
  const [step, ...more] = steps(form, request(fields)).steps
  expect(more).toEqual([])
  if (step?.kind === 'answer') return step.request
  const { reply, rest } = cutReply((step as { bytes: Buffer }).bytes)!
  expect([reply.cookie, rest]).toEqual([fields.cookie ?? 7, Buffer.alloc(0)])
  expect(reply.kind).toBe(form === 'simple' ? 'simple' : 'chunk')
  if (reply.kind === 'simple') return reply.error
  expect(reply).toMatchObject({ isDone: true, type: 0x8001 })
  expect(errorOf(reply.payload)).toMatchObject({ message: /./, rest: Buffer.alloc(0) })
  return errorOf(reply.payload).error
}

describe('errors', () => {
  test.each<[string, Form, RequestFields, number]>([
    ['a write of nothing', 'simple', { type: WRITE }, EPERM],
    ['a write', 'structured', { type: WRITE, length: 5, data: Buffer.alloc(5) }, EPERM],
    [
      'a write behind the end',
      'structured',
      { type: WRITE, offset: SIZE, length: 1, data: Buffer.alloc(1) },
      EPERM
    ],
    ['TRIM', 'structured', { type: TRIM, length: 5 }, EPERM],
    ['WRITE_ZEROES', 'simple', { type: WRITE_ZEROES, length: 5 }, EPERM],
    [
      'WRITE_ZEROES that is to be fast',
      'simple',
      { type: WRITE_ZEROES, flags: FAST_ZERO, length: 5 },
      EPERM
    ],
    ['FLUSH, which is not offered', 'structured', { type: FLUSH }, EINVAL],
    ['RESIZE', 'structured', { type: 8, length: 5 }, EINVAL],
    ['an unknown command', 'simple', { type: 0xffff, length: 5 }, EINVAL],
    ['a read of nothing', 'simple', { type: READ }, EINVAL],
    ['a read of nothing', 'structured', { type: READ }, EINVAL],
    ['a read across the end', 'simple', { type: READ, offset: SIZE - 1, length: 2 }, EINVAL],
    ['a read behind the end', 'structured', { type: READ, offset: SIZE, length: 1 }, EINVAL],
    [
      'a read from beyond what numbers hold',
      'structured',
      { type: READ, offset: 2n ** 64n - 1n, length: 2 },
      EINVAL
    ],
    ['a read of more than 32 MiB', 'simple', { type: READ, length: MIB_32 + 1 }, EINVAL],
    ['a read of more than 32 MiB', 'structured', { type: READ, length: MIB_32 + 1 }, EINVAL],
    [
      'a read of more than 32 MiB in one chunk',
      'structured',
      { type: READ, flags: DF, length: MIB_32 + 1 },
      EOVERFLOW
    ],
    ['a read of 4 GiB', 'structured', { type: READ, length: 2 ** 32 - 1 }, EINVAL],
    [
      'a read in one chunk without structured replies',
      'simple',
      { type: READ, flags: DF, length: 1 },
      EINVAL
    ],
    [
      'a read with FUA, which is not offered',
      'structured',
      { type: READ, flags: FUA, length: 1 },
      EINVAL
    ],
    ['a read with an unknown flag', 'structured', { type: READ, flags: 0x8000, length: 1 }, EINVAL],
    ['CACHE behind the end', 'structured', { type: CACHE, offset: SIZE, length: 1 }, EINVAL],
    ['CACHE of more than 32 MiB', 'simple', { type: CACHE, length: MIB_32 + 1 }, EINVAL],
    ['CACHE with a flag', 'simple', { type: CACHE, flags: DF, length: 1 }, EINVAL],
    ['BLOCK_STATUS without a context', 'structured', { type: BLOCK_STATUS, length: 1 }, EINVAL],
    ['BLOCK_STATUS in simple replies', 'simple', { type: BLOCK_STATUS, length: 1 }, EINVAL],
    [
      'BLOCK_STATUS with a context of another export',
      'with contexts of another',
      { type: BLOCK_STATUS, length: 1 },
      EINVAL
    ],
    [
      'BLOCK_STATUS across the end',
      'with contexts',
      { type: BLOCK_STATUS, offset: SIZE - 1, length: 2 },
      EINVAL
    ],
    ['BLOCK_STATUS of nothing', 'with contexts', { type: BLOCK_STATUS }, EINVAL],
    ['BLOCK_STATUS with DF', 'with contexts', { type: BLOCK_STATUS, flags: DF, length: 1 }, EINVAL]
  ])('%s (%s)', (_name, form, fields, error) => {
    expect(outcome(form, fields)).toBe(error)
  })

  test.each([READ, CACHE, TRIM, WRITE_ZEROES, FLUSH, BLOCK_STATUS, 99])(
    'command %i gets ESHUTDOWN when the server ends',
    (type) => {
      const [step] = steps('structured', request({ type, length: 1 }), true).steps
      const { reply } = cutReply((step as { bytes: Buffer }).bytes)!
      expect(reply.kind === 'chunk' && errorOf(reply.payload).error).toBe(ESHUTDOWN)
    }
  )
})

describe('valid requests', () => {
  test.each<[string, Form, RequestFields, object]>([
    [
      'a read',
      'simple',
      { type: READ, offset: 3, length: 5 },
      { command: 'read', offset: 3, length: 5, isStructured: false, isWhole: false }
    ],
    [
      'a read to the last byte',
      'structured',
      { type: READ, offset: SIZE - 5, length: 5 },
      { isStructured: true, isWhole: false }
    ],
    ['a read of 32 MiB', 'structured', { type: READ, length: MIB_32 }, { length: MIB_32 }],
    [
      'a read in one chunk',
      'structured',
      { type: READ, flags: DF, length: MIB_32 },
      { isWhole: true }
    ],
    ['CACHE', 'simple', { type: CACHE, length: MIB_32 }, { command: 'cache' }],
    [
      'BLOCK_STATUS of all',
      'with contexts',
      { type: BLOCK_STATUS, length: SIZE },
      { command: 'status', isSingle: false }
    ],
    [
      'BLOCK_STATUS of one extent',
      'with contexts',
      { type: BLOCK_STATUS, flags: REQ_ONE, length: 9 },
      { isSingle: true }
    ]
  ])('%s (%s)', (_name, form, fields, expected) => {
    const cookie = Number.MAX_SAFE_INTEGER
    expect(outcome(form, { ...fields, cookie })).toMatchObject({
      ...expected,
      cookie: BigInt(cookie)
    })
  })
})

describe('the conversation ends', () => {
  test.each<[string, Buffer]>([
    ['with DISC', request({ type: DISC })],
    ['with what is no request', Buffer.alloc(28)],
    ['with a write of more than 32 MiB', request({ type: WRITE, length: MIB_32 + 1 })]
  ])('%s', (_name, bytes) => {
    const { steps: done, isOver } = steps(
      'structured',
      Buffer.concat([bytes, request({ type: READ, length: 1 })])
    )
    expect({ done, isOver }).toEqual({ done: [], isOver: true })
  })
})

test('the data of a refused write is passed over, also if it looks like requests', () => {
  const data = request({ type: READ, length: 1 })
  const write = request({ type: WRITE, length: data.length, data })
  const after = request({ type: READ, length: 9, cookie: 8 })
  const { steps: done } = steps('structured', Buffer.concat([write, after]))
  expect(done.map(({ kind }) => kind)).toEqual(['send', 'answer'])
  expect(done[1]).toMatchObject({ request: { length: 9, cookie: 8n } })
})

test('bytes may arrive in any pieces', () => {
  const all = Buffer.concat([
    clientFlags(3),
    option(99, 'x'.repeat(100)),
    option(8),
    option(3),
    option(7, infoData('a', 1, 3)),
    request({ type: WRITE, length: 100, data: Buffer.alloc(100) }),
    request({ type: READ, length: 1 }),
    request({ type: 77 }),
    request({ type: DISC })
  ])
  const whole = heardIn([all])
  expect(whole.filter(({ kind }) => kind === 'send')).toHaveLength(12)
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: all.length })), (cuts) => {
      const borders = [0, ...cuts.sort((a, b) => a - b), all.length]
      const pieces = borders.slice(1).map((end, index) => all.subarray(borders[index], end))
      expect(heardIn(pieces)).toEqual(whole)
    }),
    { numRuns: 50 }
  )
})

function heardIn(pieces: readonly Buffer[]): Step[] {
  const conversation = converse({ exports, isClosing: () => false })
  return pieces.flatMap((piece) => [...conversation.receive(piece)])
}

test('a message that is too long for the protocol is cut between characters', () => {
  const told = refusedReply(
    { cookie: 1n, isStructured: true },
    { error: 5, message: 'xä'.repeat(2000) },
    9
  )
  const { reply, rest } = cutReply(told)!
  expect(rest).toHaveLength(0)
  const { payload } = reply as { payload: Buffer }
  expect(errorOf(payload)).toEqual({ error: 5, message: `${'xä'.repeat(1365)}x`, rest: u64(9) })
})
