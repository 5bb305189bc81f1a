/** Uploads: how they are sent, what breaks them, and what is left of them. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { RegistryBlob, RegistryClient } from '../../src/registry/registry.ts'
import {
  refuse,
  send,
  sha256,
  type Exchange,
  type Fault,
  type FaultyRegistry
} from '../support/faulty-registry.ts'
import { failureOf, withRegistry, type Tried } from './support.ts'

const SMALL = randomBytes(100_000)
const LARGE = randomBytes(9 << 20)

type Read = (offset: number) => AsyncIterable<Buffer>

function blobOf(bytes: Buffer): RegistryBlob {
  return { digest: sha256(bytes), size: bytes.length }
}

/** In pieces that do not fit anything. */
function reader(bytes: Buffer): Read {
  return async function* (offset) {
    for (let at = offset; at < bytes.length; at += 333_333) {
      await Promise.resolve()
      yield bytes.subarray(at, Math.min(at + 333_333, bytes.length))
    }
  }
}

/** Methods of the requests for uploads, in their order. */
function story({ seen }: FaultyRegistry): string {
  return seen
    .filter(({ path }) => path.includes('uploads'))
    .map(({ method }) => method)
    .join(' ')
}

/** Stops reading after so many bytes, and closes the connection. */
function breakAfter(bytes: number): Fault {
  return async ({ request, response }) => {
    let count = 0
    for await (const piece of request as AsyncIterable<Buffer>) {
      count += piece.length
      if (count >= bytes) break
    }
    response.destroy()
    return true
  }
}

/** Keeps the session of a broken upload as far as it got, as good registries do. */
function keepAndBreak(registry: () => FaultyRegistry, bytes: Buffer, size: number): Fault {
  return async (exchange) => {
    await breakAfter(size)(exchange)
    const id = exchange.url.pathname.split('/').at(-1)!
    registry().uploads.set(id, bytes.subarray(0, size))
    return true
  }
}

describe('an upload', () => {
  test.each([
    ['of nothing', Buffer.alloc(0), 'POST PUT'],
    ['of little', SMALL, 'POST PUT'],
    ['of much', LARGE, 'POST PATCH PUT']
  ])('%s', async (_name, bytes, expected) => {
    await withRegistry(undefined, async ({ client, registry }) => {
      await client.upload(blobOf(bytes), reader(bytes))
      expect(registry.blobs.get(sha256(bytes))?.equals(bytes)).toBe(true)
      expect(story(registry)).toBe(expected)
      // what the registry put into the address is sent back as it was
      expect(registry.seen.at(-1)?.path).toContain('?_state=a%2Bb~c%3D&digest=sha256%3A')
      expect(await client.hasBlob(blobOf(bytes))).toBe(true)
    })
  })

  test('in chunks if the registry says how long', async () => {
    const ranges: (string | undefined)[] = []
    const fault: Fault = ({ request, response }) => {
      if (request.method === 'POST') response.setHeader('oci-chunk-min-length', String(40 << 20))
      if (request.method === 'PATCH') ranges.push(request.headers['content-range'])
      return false
    }
    await withRegistry(fault, async ({ client, registry }) => {
      await client.upload(blobOf(SMALL), reader(SMALL))
      expect(story(registry)).toBe('POST PATCH PUT')
      expect(ranges).toEqual(['0-99999'])
    })
  })

  test.each([400, 405, 411, 501])('in one request if streams are refused (%i)', async (status) => {
    const fault: Fault = ({ request, response }) =>
      request.method === 'PATCH' && refuse(response, status, 'UNSUPPORTED')
    await withRegistry(fault, async ({ client, registry }) => {
      await client.upload(blobOf(LARGE), reader(LARGE))
      expect(registry.blobs.get(sha256(LARGE))?.equals(LARGE)).toBe(true)
      expect(story(registry)).toBe('POST PATCH GET DELETE POST PUT')
    })
  })

  test.each([
    // what the registry has is not sent again
    ['PUT', 'POST PATCH PUT GET PUT GET PUT DELETE'],
    ['PUT GET', 'POST PATCH PUT GET DELETE POST PATCH PUT GET DELETE POST PATCH PUT DELETE']
  ])('of much is not sent for ever if the registry refuses %s', async (methods, expected) => {
    const fault: Fault = ({ request, response, url }) =>
      url.pathname.includes('uploads') &&
      methods.split(' ').includes(request.method!) &&
      refuse(response, 500, 'UNKNOWN')
    const large = async ({ client, registry }: Tried): Promise<void> => {
      const error = await failureOf(client.upload(blobOf(LARGE), reader(LARGE)))
      expect(error.code).toBe('REGISTRY_FAILED')
      expect(story(registry)).toBe(expected)
      expect(registry.uploads.size).toBe(0)
    }
    await withRegistry(fault, large, { timing: { attempts: 3 } })
  })

  test('goes on where it broke', async () => {
    let known: FaultyRegistry | undefined
    const fault: Fault = (exchange) =>
      exchange.request.method === 'PATCH' &&
      exchange.before === 0 &&
      keepAndBreak(() => known!, LARGE, 1_000_000)(exchange)
    await withRegistry(fault, async ({ client, registry, events }) => {
      known = registry
      await client.upload(blobOf(LARGE), reader(LARGE))
      expect(registry.blobs.get(sha256(LARGE))?.equals(LARGE)).toBe(true)
      expect(story(registry)).toBe('POST PATCH GET PATCH PUT')
      const [, again] = registry.seen.filter(({ method }) => method === 'PATCH')
      expect(again?.headers).toMatchObject({
        'content-range': `1000000-${LARGE.length - 1}`,
        'content-length': String(LARGE.length - 1_000_000)
      })
      expect(events).toMatchObject([{ type: 'retry' }])
    })
  })

  test('begins again if the registry does not know how far it got', async () => {
    const fault: Fault = (exchange) => {
      const { method } = exchange.request
      if (method === 'PUT' && exchange.url.pathname.includes('uploads') && broken++ === 0)
        return breakAfter(10)(exchange)
      return (
        method === 'GET' &&
        exchange.url.pathname.includes('uploads') &&
        refuse(exchange.response, 404, 'BLOB_UPLOAD_INVALID')
      )
    }
    let broken = 0
    await withRegistry(fault, async ({ client, registry }) => {
      await client.upload(blobOf(SMALL), reader(SMALL))
      expect(story(registry)).toBe('POST PUT GET DELETE POST PUT')
      expect(registry.uploads.size).toBe(0)
    })
  })

  test('is complete if only its last answer was lost', async () => {
    let known: FaultyRegistry | undefined
    const fault: Fault = ({ request, response, url }) => {
      if (request.method !== 'PUT') return false
      known!.uploads.delete(url.pathname.split('/').at(-1)!)
      known!.addBlob(SMALL)
      response.destroy()
      return true
    }
    await withRegistry(fault, async ({ client, registry }) => {
      known = registry
      await client.upload(blobOf(SMALL), reader(SMALL))
      expect(story(registry)).toBe('POST PUT GET DELETE')
    })
  })

  test.each<[string, Fault, string]>([
    ['is broken', ({ response }) => refuse(response, 500, 'UNKNOWN'), 'REGISTRY_FAILED'],
    ['closes every connection', breakAfter(10), 'REGISTRY_UNREACHABLE'],
    [
      'says that the digest is another',
      ({ response }) => refuse(response, 400, 'DIGEST_INVALID'),
      'REGISTRY_FAILED'
    ],
    ['forbids it', ({ response }) => refuse(response, 403, 'DENIED'), 'REGISTRY_DENIED'],
    [
      'always loses it',
      ({ response }) => refuse(response, 404, 'BLOB_UPLOAD_UNKNOWN'),
      'REGISTRY_FAILED'
    ]
  ])('leaves no session if the registry %s', async (_name, fault, code) => {
    await withRegistry(
      (exchange) => exchange.request.method === 'PUT' && fault(exchange),
      async ({ client, registry }) => {
        const error = await failureOf(client.upload(blobOf(SMALL), reader(SMALL)))
        expect(error).toMatchObject({ code, facts: { blob: sha256(SMALL), host: registry.host } })
        expect(registry.uploads.size).toBe(0)
      }
    )
  })

  test('says what may be wrong where the registry does not have the repository', async () => {
    const fault: Fault = ({ response }) => refuse(response, 404, 'NAME_UNKNOWN')
    await withRegistry(fault, async ({ client }) => {
      const error = await failureOf(client.upload(blobOf(SMALL), reader(SMALL)))
      expect(error.code).toBe('REPOSITORY_NOT_FOUND')
      expect(error.hint).toContain('created there before')
      const reading = await failureOf(client.document('x', 1000))
      expect([reading.code, reading.hint]).toEqual(['REPOSITORY_NOT_FOUND', undefined])
    })
  })

  test.each([
    ['too short', SMALL.subarray(1)],
    ['too long', Buffer.concat([SMALL, SMALL])]
  ])('fails if what is read is %s', async (_name, bytes) => {
    await withRegistry(undefined, async ({ client, registry }) => {
      const error = await failureOf(client.upload(blobOf(SMALL), reader(bytes)))
      expect(error.code).toBe('FILE_CHANGED')
      expect(registry.uploads.size).toBe(0)
      expect(registry.blobs.size).toBe(0)
    })
  })

  test('passes on what the reader throws', async () => {
    const read: Read = async function* () {
      yield await Promise.resolve(SMALL.subarray(0, 10))
      throw new Error('the disk is gone')
    }
    await withRegistry(undefined, async ({ client, registry }) => {
      await expect(client.upload(blobOf(SMALL), read)).rejects.toThrow('the disk is gone')
      expect(registry.uploads.size).toBe(0)
    })
  })

  test('stalls if the registry takes no more', async () => {
    const fault: Fault = ({ request }) => request.method === 'PATCH' && (request.pause(), true)
    const work = withRegistry(
      fault,
      async ({ client, registry }) => {
        const large = randomBytes(40 << 20)
        const error = await failureOf(client.upload(blobOf(large), reader(large)))
        expect(error.code).toBe('REGISTRY_STALLED')
        expect(registry.uploads.size).toBe(0)
      },
      { timing: { stall: 500, attempts: 2 } }
    )
    await work
  })

  test.each<[string, (client: RegistryClient) => Promise<unknown>]>([
    ['an upload', (client) => client.upload(blobOf(SMALL), reader(SMALL))],
    ['a mount', (client) => client.mount(blobOf(SMALL), 'other/thing')]
  ])('a session that opens while %s is stopped is closed', async (_name, act) => {
    const stop = new AbortController()
    const fault: Fault = async ({ request }) => {
      if (request.method !== 'POST') return false
      stop.abort()
      await sleep(100)
      return false
    }
    await withRegistry(
      fault,
      async ({ client, registry }) => {
        await act(client).catch(() => undefined)
        expect(story(registry)).toBe('POST DELETE')
        expect(registry.uploads.size).toBe(0)
      },
      { signal: stop.signal }
    )
  })

  /** Takes everything, and answers after a while. */
  const answerAfter =
    (method: string, pauseMs: number): Fault =>
    async ({ request, url, response }) => {
      if (request.method !== method || !url.pathname.includes('uploads/')) return false
      await once(request.resume(), 'end')
      await sleep(pauseMs, undefined, { ref: false })
      return send(response, method === 'PUT' ? 201 : 202, {})
    }

  test.each([
    ['PUT', SMALL, 'POST PUT GET'],
    ['PATCH', LARGE, 'POST PATCH GET']
  ])(
    'stalls if the registry takes everything and does not answer %s',
    async (method, bytes, begin) => {
      await withRegistry(
        answerAfter(method, 60_000),
        async ({ client, registry }) => {
          const begun = Date.now()
          const error = await failureOf(client.upload(blobOf(bytes), reader(bytes)))
          expect(error.code).toBe('REGISTRY_STALLED')
          expect(Date.now() - begun).toBeLessThan(8000)
          expect(story(registry)).toContain(begin)
        },
        { timing: { stall: 200, slowestWork: 100 << 20, attempts: 2 } }
      )
    }
  )

  test('is waited for as long as the registry may be reading the blob', async () => {
    await withRegistry(
      answerAfter('PUT', 600),
      async ({ client, registry }) => {
        await client.upload(blobOf(SMALL), reader(SMALL))
        expect(story(registry)).toBe('POST PUT')
      },
      { timing: { stall: 200, slowestWork: SMALL.length } }
    )
  })

  test.each([
    ['a large blob', LARGE],
    ['a small blob', SMALL]
  ])('of %s leaves no session after a stop', async (_name, bytes) => {
    const stop = new AbortController()
    let finished = false
    const read: Read = async function* (offset) {
      yield bytes.subarray(offset, offset + 50_000)
      stop.abort(new Error('enough'))
      await sleep(bytes === LARGE ? 60_000 : 50, undefined, { ref: false })
      finished = true
      yield bytes.subarray(offset + 50_000)
    }
    await withRegistry(
      undefined,
      async ({ client, registry }) => {
        const begun = Date.now()
        const error = await failureOf(client.upload(blobOf(bytes), read))
        expect(error).toMatchObject({ code: 'ABORTED', cause: { message: 'enough' } })
        // not only after the time that is left for it
        expect(Date.now() - begun).toBeLessThan(1000)
        expect(registry.uploads.size).toBe(0)
        expect(finished).toBe(bytes === SMALL)
      },
      { signal: stop.signal }
    )
  })
})

describe('a stop of an upload that the registry does not take or answer', () => {
  test.each<[string, Buffer, boolean]>([
    ['small', SMALL, true],
    ['large', randomBytes(20 << 20), true],
    ['large, and a registry that does not react to anything', randomBytes(20 << 20), false]
  ])('is not waited for (%s)', async (_name, bytes, closes) => {
    const stop = new AbortController()
    let stopped = 0
    const fault: Fault = ({ request }) => {
      if (request.method === 'DELETE') return !closes
      if (request.method !== 'PATCH' && request.method !== 'PUT') return false
      request.pause()
      setTimeout(() => {
        stopped = Date.now()
        stop.abort()
      }, 200)
      return true
    }
    await withRegistry(
      fault,
      async ({ client, registry }) => {
        const error = await failureOf(client.upload(blobOf(bytes), reader(bytes)))
        expect(error.code).toBe('ABORTED')
        expect(Date.now() - stopped).toBeLessThan(closes ? 600 : 1400)
        expect(story(registry)).toMatch(/^POST (?:PATCH|PUT) DELETE$/)
        expect(registry.uploads.size).toBe(closes ? 0 : 1)
      },
      { signal: stop.signal, timing: { cleanUp: 5000 } }
    )
  })
})

describe('a mount', () => {
  test('takes a blob of another repository', async () => {
    await withRegistry(undefined, async ({ client, registry }) => {
      expect(await client.mount(registry.addBlob(SMALL), 'other/thing')).toBe(true)
      expect(registry.seen.at(-1)?.path).toContain('mount=sha256%3A')
      expect(registry.seen.at(-1)?.path).toContain('from=other%2Fthing')
    })
  })

  test('that becomes an upload is given up', async () => {
    await withRegistry(undefined, async ({ client, registry }) => {
      expect(await client.mount(blobOf(SMALL), 'other/thing')).toBe(false)
      expect(story(registry)).toBe('POST DELETE')
      expect(registry.uploads.size).toBe(0)
    })
  })

  test.each([400, 401, 403, 404, 405])('that is refused (%i) is not a failure', async (status) => {
    const fault: Fault = ({ request, response }) =>
      request.method === 'POST' && refuse(response, status, 'X')
    await withRegistry(fault, async ({ client }) => {
      expect(await client.mount(blobOf(SMALL), 'other/thing')).toBe(false)
    })
  })
})

describe('a blob is there', () => {
  test.each<[string, Fault, boolean]>([
    [
      'if its size is right',
      ({ response }) => send(response, 200, { 'content-length': '100000' }),
      true
    ],
    [
      'not with another size',
      ({ response }) => send(response, 200, { 'content-length': '5' }),
      false
    ],
    [
      'not if it is elsewhere, and that may only be read',
      ({ request, response, url }) =>
        request.headers.host!.startsWith('localhost')
          ? send(response, 403, {})
          : send(response, 307, { location: `http://localhost:${portOf(request)}${url.pathname}` }),
      false
    ],
    ['not if it is missing', ({ response }) => send(response, 404, {}), false]
  ])('%s', async (_name, fault, expected) => {
    await withRegistry(
      (exchange) => exchange.request.method === 'HEAD' && fault(exchange),
      async ({ client }) => {
        expect(await client.hasBlob(blobOf(SMALL))).toBe(expected)
      }
    )
  })
})

function portOf({ headers }: Exchange['request']): string {
  return headers.host!.split(':')[1]!
}
