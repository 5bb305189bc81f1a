/** Blobs over bad connections: what the server does, and what becomes of it. */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import type { ErrorCode } from '../../src/errors.ts'
import type { Timing } from '../../src/registry/client-settings.ts'
import { refuse, send, sha256, type Exchange, type Fault } from '../support/faulty-registry.ts'
import { failureOf, readBlob, withRegistry, type Tried } from './support.ts'

const BYTES = randomBytes(300_000)
const HALF = 150_000

/** Says that everything comes, and breaks off after half of it. */
function breakOff({ response }: Exchange, from = 0): true {
  response.writeHead(from === 0 ? 200 : 206, {
    'content-length': String(BYTES.length - from),
    ...(from > 0 && { 'content-range': `bytes ${from}-${BYTES.length - 1}/${BYTES.length}` })
  })
  response.write(BYTES.subarray(from, HALF), () => setTimeout(() => response.destroy(), 20))
  return true
}

/** Only what is asked of the blob. */
function forBlob(fault: Fault): Fault {
  return (exchange) =>
    exchange.url.pathname.includes('/blobs/sha256') ? fault(exchange) : undefined
}

/** Long enough for a busy machine, short enough for a test. */
const STALL = { stall: 700, attempts: 3 }

interface Good {
  name: string
  timing?: Partial<Timing>
  fault: Fault
  requests: number
}

const GOOD: Good[] = [
  { name: 'nothing', fault: () => undefined, requests: 1 },
  { name: 'breaks off once', fault: (e) => e.before === 0 && breakOff(e), requests: 2 },
  {
    name: 'breaks off, and ignores ranges',
    fault: (e) => (e.before === 0 ? breakOff(e) : send(e.response, 200, {}, BYTES)),
    requests: 2
  },
  {
    name: 'breaks off, and refuses ranges',
    fault: (e) => {
      if (e.before === 0) return breakOff(e)
      return e.request.headers.range === undefined ? undefined : refuse(e.response, 416, 'RANGE')
    },
    requests: 3
  },
  {
    name: 'sends less than was asked for, in good form',
    fault: ({ before, response }) => {
      if (before === 0) {
        response.write(BYTES.subarray(0, HALF))
        response.end()
        return true
      }
      if (before > 1) return undefined
      const part = BYTES.subarray(HALF, HALF + 1000)
      const range = `bytes ${HALF}-${HALF + 999}/${BYTES.length}`
      return send(response, 206, { 'content-range': range }, part)
    },
    requests: 3
  },
  {
    name: 'stalls in the middle',
    timing: STALL,
    fault: (e) => {
      if (e.before > 0) return undefined
      e.response.writeHead(200, { 'content-length': String(BYTES.length) })
      e.response.write(BYTES.subarray(0, HALF))
      return true
    },
    requests: 2
  },
  {
    name: 'does not answer at first',
    timing: STALL,
    fault: ({ before }) => before === 0,
    requests: 2
  },
  ...[408, 429, 500, 502, 503, 504].map((status) => ({
    name: `answers ${status} at first`,
    fault: ({ before, response }: Exchange) => before < 2 && refuse(response, status, 'X'),
    requests: 3
  })),
  {
    name: 'closes the connection at first',
    fault: ({ before, response }) => {
      if (before === 0) response.destroy()
      return before === 0
    },
    requests: 2
  },
  {
    name: 'says that it is encoded as it is',
    fault: ({ response }) => send(response, 200, { 'content-encoding': 'identity' }, BYTES),
    requests: 1
  },
  {
    name: 'sends it without saying how long it is',
    fault: ({ response }) => {
      response.writeHead(200, { 'transfer-encoding': 'chunked' })
      response.end(BYTES)
      return true
    },
    requests: 1
  }
]

describe('a blob arrives whole, in order and once, if the registry', () => {
  test.each(GOOD)('$name', async ({ fault, requests, timing = {} }) => {
    await withRegistry(
      forBlob(fault),
      async ({ client, registry, events }) => {
        const blob = registry.addBlob(BYTES)
        const read = await readBlob(client, blob)
        expect(sha256(read)).toBe(blob.digest)
        const asked = registry.seen.filter(({ path }) => path.includes(blob.digest))
        expect(asked).toHaveLength(requests)
        expect(asked.every(({ headers }) => headers['accept-encoding'] === 'identity')).toBe(true)
        // one of the further requests may be for what was refused, or did not fail
        expect(events.filter(({ type }) => type === 'retry').length).toBeLessThan(requests)
      },
      { timing }
    )
  })
})

interface Bad {
  name: string
  timing?: Partial<Timing>
  fault: Fault
  code: ErrorCode
  facts?: object
}

const BAD: Bad[] = [
  {
    name: 'does not have it',
    fault: ({ response }) => refuse(response, 404, 'BLOB_UNKNOWN', 'blob unknown to registry'),
    code: 'BLOB_NOT_FOUND',
    facts: { status: 404, reason: 'BLOB_UNKNOWN: blob unknown to registry' }
  },
  {
    name: 'does not have the repository',
    fault: ({ response }) => refuse(response, 404, 'NAME_UNKNOWN'),
    code: 'REPOSITORY_NOT_FOUND'
  },
  {
    name: 'compresses it',
    fault: ({ response }) => send(response, 200, { 'content-encoding': 'gzip' }, gzipSync(BYTES)),
    code: 'REGISTRY_ANSWER_INVALID',
    facts: { found: 'Content-Encoding: gzip' }
  },
  {
    name: 'says that it is longer',
    fault: ({ response }) => send(response, 200, {}, Buffer.concat([BYTES, Buffer.alloc(9)])),
    code: 'BLOB_SIZE_MISMATCH',
    facts: { expected: '300000 bytes', found: '300009 bytes' }
  },
  {
    name: 'says that it is shorter',
    fault: ({ response }) => send(response, 200, {}, BYTES.subarray(1)),
    code: 'BLOB_SIZE_MISMATCH',
    facts: { found: '299999 bytes' }
  },
  {
    name: 'sends more without end',
    fault: ({ response }) => {
      response.writeHead(200)
      response.write(BYTES)
      response.write('more')
      return true
    },
    code: 'BLOB_SIZE_MISMATCH',
    facts: { found: 'more' }
  },
  {
    name: 'always ends too early',
    fault: ({ response, request }) => {
      response.writeHead(request.headers.range === undefined ? 200 : 416)
      response.end(request.headers.range === undefined ? BYTES.subarray(0, HALF) : '')
      return true
    },
    code: 'BLOB_SIZE_MISMATCH',
    facts: { found: '150000 bytes' }
  },
  {
    name: 'has a shorter one, as it says after a break',
    fault: (e) => {
      if (e.before === 0) return breakOff(e)
      return send(e.response, 416, { 'content-range': `bytes */${HALF}` })
    },
    code: 'BLOB_SIZE_MISMATCH',
    facts: { found: '150000 bytes' }
  },
  {
    name: 'has one of another size, as it says after a break',
    fault: (e) => {
      if (e.before === 0) return breakOff(e)
      const range = `bytes ${HALF}-${HALF + 9}/${HALF + 10}`
      return send(e.response, 206, { 'content-range': range }, BYTES.subarray(HALF, HALF + 10))
    },
    code: 'BLOB_SIZE_MISMATCH',
    facts: { found: '150010 bytes' }
  },
  {
    name: 'sends another range than was asked for',
    fault: (e) => {
      if (e.before === 0) return breakOff(e)
      const range = `bytes 7-${BYTES.length - 1}/${BYTES.length}`
      return send(e.response, 206, { 'content-range': range }, BYTES.subarray(7))
    },
    code: 'REGISTRY_ANSWER_INVALID',
    facts: { expected: 'bytes 150000-', found: 'bytes 7-299999/300000' }
  },
  {
    name: 'sends a range without saying which',
    fault: (e) => (e.before === 0 ? breakOff(e) : send(e.response, 206, {}, BYTES.subarray(HALF))),
    code: 'REGISTRY_ANSWER_INVALID'
  },
  {
    name: 'stalls every time',
    timing: STALL,
    fault: ({ response }) => {
      response.writeHead(200, { 'content-length': String(BYTES.length) })
      response.write(' ')
      return true
    },
    code: 'REGISTRY_STALLED'
  },
  {
    name: 'closes every connection',
    fault: ({ response }) => {
      response.destroy()
      return true
    },
    code: 'REGISTRY_UNREACHABLE'
  },
  {
    name: 'has a problem every time',
    fault: ({ response }) =>
      refuse(response, 503, 'UNAVAILABLE', 'down for \u001b[31m maintenance'),
    code: 'REGISTRY_FAILED',
    facts: { status: 503, reason: 'UNAVAILABLE: down for \\x1b[31m maintenance' }
  },
  {
    name: 'asks to wait for a day',
    fault: ({ response }) => send(response, 429, { 'retry-after': '86400' }, 'slow down'),
    code: 'REGISTRY_BUSY',
    facts: { reason: 'slow down; the registry asks for a pause of 86400 s' }
  },
  {
    name: 'answers with something that is not an answer',
    fault: ({ response }) => {
      response.socket!.end('SMTP ready\r\n')
      return true
    },
    code: 'REGISTRY_ANSWER_INVALID'
  },
  {
    name: 'refers from one address to the next',
    fault: ({ response, url }) => send(response, 307, { location: `${url.pathname}?again` }),
    code: 'REGISTRY_ANSWER_INVALID'
  },
  {
    name: 'refers to an endless address',
    fault: ({ response }) => {
      const location = `/${'x'.repeat(5000)}`
      return send(response, 307, { location })
    },
    code: 'BLOB_NOT_FOUND',
    facts: { request: `GET /${'x'.repeat(299)}…` }
  },
  {
    name: 'refers to nothing',
    fault: ({ response }) => send(response, 302, { location: 'ftp://elsewhere/' }),
    code: 'REGISTRY_ANSWER_INVALID'
  }
]

describe('a blob is refused if the registry', () => {
  test.each(BAD)('$name', async ({ fault, code, facts, timing = {} }) => {
    await withRegistry(
      forBlob(fault),
      async ({ client, registry }) => {
        const blob = registry.addBlob(BYTES)
        const error = await failureOf(readBlob(client, blob))
        expect(error.code).toBe(code)
        expect(error.facts).toMatchObject({
          host: registry.host,
          repository: 'library/thing',
          blob: blob.digest,
          request: `GET /v2/library/thing/blobs/${blob.digest}`,
          ...facts
        })
      },
      { timing }
    )
  })
})

test('a download begins where the caller wants', async () => {
  await withRegistry(undefined, async ({ client, registry }) => {
    const blob = registry.addBlob(BYTES)
    expect((await readBlob(client, blob, 299_990)).equals(BYTES.subarray(299_990))).toBe(true)
    expect(await readBlob(client, blob, 300_000)).toHaveLength(0)
    expect(registry.seen.at(-1)?.headers.range).toBe('bytes=299990-299999')
  })
})

test('what the reader throws is passed on, and nothing is asked again', async () => {
  await withRegistry(undefined, async ({ client, registry }) => {
    const blob = registry.addBlob(BYTES)
    const reading = client.blob(blob, 0, () => Promise.reject(new Error('the disk is full')))
    await expect(reading).rejects.toThrow('the disk is full')
    expect(registry.seen.filter(({ path }) => path.includes('sha256'))).toHaveLength(1)
  })
})

test('a slow reader is not taken for a stalled server', async () => {
  const slow = async ({ client, registry, events }: Tried): Promise<void> => {
    const blob = registry.addBlob(randomBytes(2 << 20))
    let pieces = 0
    await client.blob(blob, 0, async () => {
      if (pieces++ === 2) await sleep(1500)
    })
    expect(events).toEqual([])
  }
  await withRegistry(undefined, slow, { timing: { stall: 700 } })
})

test.each(['in seconds', 'as a date'])(
  'a pause that the registry asks for %s is made',
  async (form) => {
    const begun = Date.now()
    const fault: Fault = ({ before, response }) => {
      if (before > 0) return undefined
      const date = new Date(Math.ceil(Date.now() / 1000) * 1000 + 1000).toUTCString()
      return send(response, 429, { 'retry-after': form === 'in seconds' ? '1' : date })
    }
    await withRegistry(forBlob(fault), async ({ client, registry, events }) => {
      await readBlob(client, registry.addBlob(BYTES))
      expect(Date.now() - begun).toBeGreaterThanOrEqual(900)
      expect(events).toMatchObject([{ type: 'retry', reason: 'HTTP 429', host: registry.host }])
    })
  }
)

test('a stop ends a download at once', async () => {
  const stop = new AbortController()
  const fault = forBlob(({ response }) => {
    response.writeHead(200, { 'content-length': String(BYTES.length) })
    response.write(BYTES.subarray(0, HALF))
    return true
  })
  const work = withRegistry(
    fault,
    async ({ client, registry }) => {
      const reading = readBlob(client, registry.addBlob(BYTES))
      setTimeout(() => stop.abort(new Error('enough')), 50)
      return failureOf(reading)
    },
    { signal: stop.signal, timing: { stall: 60_000 } }
  )
  const begun = Date.now()
  expect(await work).toMatchObject({ code: 'ABORTED', cause: { message: 'enough' } })
  expect(Date.now() - begun).toBeLessThan(2000)
})
