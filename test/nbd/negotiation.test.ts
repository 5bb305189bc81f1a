/** The handshake, message by message. */
import { describe, expect, test } from 'vitest'
import type { Export } from '../../src/nbd/export.ts'
import { converse } from '../../src/nbd/session.ts'
import {
  clientFlags,
  contextData,
  cutOptionReply,
  GREETING,
  infoData,
  option,
  u16,
  u32,
  u64
} from '../support/nbd-messages.ts'

const A: Export = { name: 'disk/a', size: 10_000 }
const B: Export = { name: 'bü', size: 2 ** 52 }

const ACK = 1
const UNSUP = 0x80000001
const INVALID = 0x80000003
const UNKNOWN = 0x80000006
const SHUTDOWN = 0x80000007
const TOO_BIG = 0x80000009

const CONTEXT = Buffer.concat([u32(1), Buffer.from('base:allocation')])
/** Read-only, several connections, CACHE; with structured replies also DF. */
const PLAIN_FLAGS = 0x503
const STRUCTURED_FLAGS = 0x583

interface Said {
  sent: Buffer
  agreed: Export | undefined
  isOver: boolean
}

function hear(bytes: Buffer, isClosing = false): Said {
  const conversation = converse({ exports: [A, B], isClosing: () => isClosing })
  const sent: Buffer[] = []
  let agreed: Export | undefined
  for (const step of conversation.receive(bytes)) {
    if (step.kind === 'send') sent.push(step.bytes)
    if (step.kind === 'agreed') agreed = step.export
  }
  const all = Buffer.concat(sent)
  expect(all.subarray(0, 18)).toEqual(GREETING)
  return { sent: all.subarray(18), agreed, isOver: conversation.isOver }
}

/** Type and data of all replies to options of a client that knows the fixed newstyle. */
function replies(...options: Buffer[]): [number, string][] {
  let { sent: rest } = hear(Buffer.concat([clientFlags(3), ...options]))
  const found: [number, string][] = []
  while (rest.length > 0) {
    const cut = cutOptionReply(rest)!
    found.push([cut.reply.type, cut.reply.data.toString('latin1')])
    rest = cut.rest
  }
  return found
}

const STRUCTURED = option(8)
const raw = (...parts: Buffer[]): string => Buffer.concat(parts).toString('latin1')

describe('options', () => {
  test.each<[string, Buffer[], [number, string][]]>([
    [
      'LIST',
      [option(3)],
      [
        [2, raw(u32(6), Buffer.from('disk/a'))],
        [2, raw(u32(3), Buffer.from('bü'))],
        [ACK, '']
      ]
    ],
    ['LIST with data', [option(3, 'x')], [[INVALID, '']]],
    ['STARTTLS', [option(5)], [[UNSUP, 'This server has no TLS; a proxy can add it.']]],
    ['STARTTLS with data', [option(5, 'x')], [[INVALID, '']]],
    ['the withdrawn PEEK_EXPORT', [option(4)], [[UNSUP, '']]],
    ['EXTENDED_HEADERS, which it does not know', [option(11)], [[UNSUP, '']]],
    [
      'an unknown one with data',
      [option(0xffffffff, 'x'.repeat(70_000)), option(8)],
      [
        [UNSUP, ''],
        [ACK, '']
      ]
    ],
    ['STRUCTURED_REPLY', [STRUCTURED], [[ACK, '']]],
    [
      'STRUCTURED_REPLY twice',
      [STRUCTURED, STRUCTURED],
      [
        [ACK, ''],
        [ACK, '']
      ]
    ],
    ['STRUCTURED_REPLY with data', [option(8, 'x')], [[INVALID, '']]],
    [
      'INFO of the default export',
      [option(6, infoData(''))],
      [
        [3, raw(u16(0), u64(10_000), u16(PLAIN_FLAGS))],
        [ACK, '']
      ]
    ],
    [
      'INFO by name, with a slash',
      [option(6, infoData('/bü'))],
      [
        [3, raw(u16(0), u64(2 ** 52), u16(PLAIN_FLAGS))],
        [ACK, '']
      ]
    ],
    [
      'INFO with all that can be told',
      [STRUCTURED, option(6, infoData('', 3, 2, 1, 0, 99))],
      [
        [ACK, ''],
        [3, raw(u16(0), u64(10_000), u16(STRUCTURED_FLAGS))],
        [3, raw(u16(1), Buffer.from('disk/a'))],
        [3, raw(u16(3), u32(1), u32(4096), u32(2 ** 25))],
        [ACK, '']
      ]
    ],
    [
      'INFO of what is not there',
      [option(6, infoData('c'))],
      [[UNKNOWN, 'There is no export of this name.']]
    ],
    [
      'GO to what is not there',
      [option(7, infoData('c'))],
      [[UNKNOWN, 'There is no export of this name.']]
    ],
    ['INFO that is too short', [option(6, infoData('a').subarray(0, -1))], [[INVALID, '']]],
    ['INFO without data', [option(6)], [[INVALID, '']]],
    ['INFO that is too long', [option(6, Buffer.concat([infoData('a'), u16(1)]))], [[INVALID, '']]],
    [
      'INFO with a name that ends behind it',
      [option(6, Buffer.concat([u32(9), Buffer.from('a'), u16(0)]))],
      [[INVALID, '']]
    ],
    ['INFO with a name of 4097 bytes', [option(6, infoData('x'.repeat(4097)))], [[INVALID, '']]],
    [
      'INFO with a name of 4096 bytes',
      [option(6, infoData('x'.repeat(4096)))],
      [[UNKNOWN, 'There is no export of this name.']]
    ],
    [
      'INFO with more than is kept',
      [option(6, 'x'.repeat(2 ** 16 + 1)), option(8)],
      [
        [TOO_BIG, ''],
        [ACK, '']
      ]
    ],
    ['LIST_META_CONTEXT before structured replies', [option(9, contextData(''))], [[INVALID, '']]],
    [
      'SET_META_CONTEXT before structured replies',
      [option(10, contextData('', 'base:allocation'))],
      [[INVALID, '']]
    ],
    [
      'LIST_META_CONTEXT of all',
      [STRUCTURED, option(9, contextData(''))],
      [
        [ACK, ''],
        [4, raw(u32(0), CONTEXT.subarray(4))],
        [ACK, '']
      ]
    ],
    [
      'LIST_META_CONTEXT of base:',
      [STRUCTURED, option(9, contextData('bü', 'x:', 'base:'))],
      [
        [ACK, ''],
        [4, raw(u32(0), CONTEXT.subarray(4))],
        [ACK, '']
      ]
    ],
    [
      'LIST_META_CONTEXT of another',
      [STRUCTURED, option(9, contextData('', 'qemu:allocation-depth'))],
      [
        [ACK, ''],
        [ACK, '']
      ]
    ],
    [
      'LIST_META_CONTEXT of what is not there',
      [STRUCTURED, option(9, contextData('c'))],
      [
        [ACK, ''],
        [UNKNOWN, 'There is no export of this name.']
      ]
    ],
    [
      'SET_META_CONTEXT',
      [STRUCTURED, option(10, contextData('', 'qemu:x', 'base:allocation'))],
      [
        [ACK, ''],
        [4, raw(CONTEXT)],
        [ACK, '']
      ]
    ],
    [
      'SET_META_CONTEXT with a wildcard',
      [STRUCTURED, option(10, contextData('', 'base:'))],
      [
        [ACK, ''],
        [ACK, '']
      ]
    ],
    [
      'SET_META_CONTEXT without a query',
      [STRUCTURED, option(10, contextData(''))],
      [
        [ACK, ''],
        [ACK, '']
      ]
    ],
    [
      'SET_META_CONTEXT with a count that cannot be',
      [STRUCTURED, option(10, Buffer.concat([u32(0), u32(0xffffffff)]))],
      [
        [ACK, ''],
        [INVALID, '']
      ]
    ],
    [
      'SET_META_CONTEXT with a query of 4097 bytes',
      [STRUCTURED, option(10, contextData('', 'x'.repeat(4097)))],
      [
        [ACK, ''],
        [INVALID, '']
      ]
    ],
    ['ABORT, and nothing after it', [option(2, 'data'), option(3)], [[ACK, '']]]
  ])('%s', (_name, options, expected) => {
    expect(replies(...options)).toEqual(expected)
  })
})

describe('the connection is closed', () => {
  const flags = clientFlags(3)

  test.each<[string, Buffer]>([
    ['for client flags that it did not offer', clientFlags(4)],
    ['for what is no option', Buffer.concat([flags, Buffer.from('IHAVEOPS'), u32(3), u32(0)])],
    [
      'for an option of more than 32 MiB',
      Buffer.concat([flags, Buffer.from('IHAVEOPT'), u32(99), u32(2 ** 25 + 1)])
    ],
    ['for EXPORT_NAME of what is not there', Buffer.concat([flags, option(1, 'c')])],
    [
      'for EXPORT_NAME of more than 4096 bytes',
      Buffer.concat([flags, option(1, 'x'.repeat(4097))])
    ],
    ['for EXPORT_NAME of more than is kept', Buffer.concat([flags, option(1, 'x'.repeat(70_000))])],
    [
      'for other options than EXPORT_NAME in newstyle that is not fixed',
      Buffer.concat([clientFlags(0), option(3)])
    ]
  ])('%s', (_name, bytes) => {
    expect(hear(bytes)).toEqual({ sent: Buffer.alloc(0), agreed: undefined, isOver: true })
  })

  test('by ABORT', () => {
    expect(hear(Buffer.concat([flags, option(2)])).isOver).toBe(true)
  })
})

describe('the transmission begins', () => {
  test.each([
    [0, 124],
    [1, 124],
    [2, 0],
    [3, 0]
  ])('with EXPORT_NAME and client flags %i', (flags, zeroes) => {
    const said = hear(Buffer.concat([clientFlags(flags), option(1, 'bü')]))
    const size = Buffer.concat([u64(2 ** 52), u16(PLAIN_FLAGS), Buffer.alloc(zeroes)])
    expect(said).toEqual({ sent: size, agreed: B, isOver: false })
  })

  test('with EXPORT_NAME and structured replies', () => {
    const { sent, agreed } = hear(Buffer.concat([clientFlags(3), STRUCTURED, option(1)]))
    expect(agreed).toBe(A)
    expect(sent.subarray(20)).toEqual(Buffer.concat([u64(10_000), u16(STRUCTURED_FLAGS)]))
  })

  test('with GO, which has no padding', () => {
    const { sent, agreed } = hear(Buffer.concat([clientFlags(1), option(7, infoData('bü'))]))
    expect(agreed).toBe(B)
    expect(cutOptionReply(cutOptionReply(sent)!.rest)).toMatchObject({
      reply: { option: 7, type: ACK },
      rest: Buffer.alloc(0)
    })
  })
})

describe('a server that is ending', () => {
  test.each([3, 5, 6, 7, 8, 9, 10, 99])('answers option %i with ERR_SHUTDOWN', (number) => {
    const { sent, isOver } = hear(Buffer.concat([clientFlags(3), option(number)]), true)
    expect(cutOptionReply(sent)!.reply).toMatchObject({ option: number, type: SHUTDOWN })
    expect(isOver).toBe(false)
  })

  test('acknowledges ABORT, and closes the connection for EXPORT_NAME', () => {
    const aborted = hear(Buffer.concat([clientFlags(3), option(2)]), true)
    expect(cutOptionReply(aborted.sent)!.reply.type).toBe(ACK)
    const named = hear(Buffer.concat([clientFlags(3), option(1)]), true)
    expect(named).toEqual({ sent: Buffer.alloc(0), agreed: undefined, isOver: true })
  })
})
