/** Manifests, indexes, tags and referrers, as registries send them. */
import { describe, expect, test } from 'vitest'
import type { ErrorCode } from '../../src/errors.ts'
import { OCI_INDEX, OCI_MANIFEST } from '../../src/image/media-types.ts'
import { refuse, send, sha256, type Fault } from '../support/faulty-registry.ts'
import { failureOf, withRegistry } from './support.ts'

const DOCKER_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json'
const LIMIT = 10_000

const json = (value: object): Buffer => Buffer.from(JSON.stringify(value))
const MANIFEST = json({ schemaVersion: 2, mediaType: OCI_MANIFEST, config: {}, layers: [] })
const BARE = json({ schemaVersion: 2, config: {}, layers: [] })
const INDEX = json({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [{ digest: 'x' }] })

/** Answers for the manifest `it`, whether by tag or digest. */
function sends(headers: Record<string, string>, body: Buffer | string): Fault {
  return ({ url, response }) =>
    url.pathname.includes('/manifests/') && send(response, 200, headers, body)
}

describe('the media type of a manifest', () => {
  test.each([
    ['as the header says', { 'content-type': OCI_MANIFEST }, MANIFEST, OCI_MANIFEST],
    ['with a parameter', { 'content-type': `${OCI_MANIFEST}; charset=utf-8` }, BARE, OCI_MANIFEST],
    ['from the document, without a header', {}, MANIFEST, OCI_MANIFEST],
    [
      'from the document, if it is just JSON',
      { 'content-type': 'application/json' },
      INDEX,
      OCI_INDEX
    ],
    ['from what is in it', { 'content-type': 'text/plain' }, BARE, OCI_MANIFEST]
  ])('is found: %s', async (_name, headers, bytes, expected) => {
    await withRegistry(
      sends(headers as Record<string, string>, bytes),
      async ({ client, registry }) => {
        const { mediaType, digest, bytes: read } = await client.document('it', LIMIT)
        expect(mediaType).toBe(expected)
        expect(digest).toBe(sha256(bytes))
        expect(read.equals(bytes)).toBe(true)
        expect(registry.seen.at(-1)?.headers.accept).toContain(OCI_INDEX)
      }
    )
  })
})

interface Bad {
  name: string
  reference?: string
  fault: Fault
  code: ErrorCode
  facts?: object
}

const BAD: Bad[] = [
  {
    name: 'is not there',
    fault: ({ url, response }) =>
      url.pathname !== '/v2/' && refuse(response, 404, 'MANIFEST_UNKNOWN', 'manifest unknown'),
    code: 'MANIFEST_NOT_FOUND',
    facts: { status: 404, reason: 'MANIFEST_UNKNOWN: manifest unknown' }
  },
  {
    name: 'is not there, says a web server',
    fault: ({ response }) =>
      send(response, 404, { 'content-type': 'text/html' }, '<html>nginx</html>'),
    code: 'MANIFEST_NOT_FOUND',
    facts: { reason: 'the answer is an HTML page' }
  },
  {
    name: 'is a web page',
    fault: sends({ 'content-type': 'text/html; charset=utf-8' }, '<!doctype html>'),
    code: 'REGISTRY_ANSWER_INVALID',
    facts: { reason: 'it is an HTML page' }
  },
  {
    name: 'is not JSON',
    fault: sends({ 'content-type': OCI_MANIFEST }, '{"schemaVersion":'),
    code: 'REGISTRY_ANSWER_INVALID',
    facts: { reason: 'it is not a JSON object' }
  },
  {
    name: 'has two media types',
    fault: sends({ 'content-type': OCI_INDEX }, MANIFEST),
    code: 'REGISTRY_ANSWER_INVALID',
    facts: { found: `${OCI_INDEX}, ${OCI_MANIFEST}` }
  },
  {
    name: 'has the type of something else',
    fault: sends(
      { 'content-type': 'application/vnd.docker.distribution.manifest.v1+prettyjws' },
      '{}'
    ),
    code: 'REGISTRY_ANSWER_INVALID',
    facts: { found: 'application/vnd.docker.distribution.manifest.v1+prettyjws' }
  },
  {
    name: 'is compressed',
    fault: sends({ 'content-encoding': 'br' }, MANIFEST),
    code: 'REGISTRY_ANSWER_INVALID'
  },
  {
    name: 'is too large, as the registry says',
    fault: sends({}, Buffer.alloc(LIMIT + 1)),
    code: 'LIMIT_EXCEEDED'
  },
  {
    name: 'is too large, and does not end',
    fault: ({ url, response }) => {
      if (!url.pathname.includes('/manifests/')) return false
      response.write(Buffer.alloc(LIMIT + 1))
      return true
    },
    code: 'LIMIT_EXCEEDED'
  },
  {
    name: 'is not the one that was asked for',
    reference: sha256(Buffer.from('another')),
    fault: sends({ 'content-type': OCI_MANIFEST }, MANIFEST),
    code: 'BLOB_DIGEST_MISMATCH',
    facts: { expected: sha256(Buffer.from('another')), found: sha256(MANIFEST) }
  },
  {
    name: 'does not have the digest in the header',
    fault: sends({ 'docker-content-digest': sha256(Buffer.from('another')) }, MANIFEST),
    code: 'BLOB_DIGEST_MISMATCH'
  },
  {
    name: 'cannot be sent, and the error is not JSON',
    fault: ({ url, response }) =>
      url.pathname !== '/v2/' && send(response, 500, {}, '{"errors": [oops\n'),
    code: 'REGISTRY_FAILED',
    facts: { status: 500, reason: '{"errors": [oops' }
  },
  {
    name: 'cannot be sent, and the error is odd JSON',
    fault: ({ url, response }) =>
      url.pathname !== '/v2/' && send(response, 418, {}, '{"errors":[null,{"code":7}]}'),
    code: 'REGISTRY_FAILED',
    facts: { status: 418 }
  },
  {
    name: 'cannot be sent, and the error is long',
    fault: ({ url, response }) =>
      url.pathname !== '/v2/' && refuse(response, 418, 'X', 'y'.repeat(5000)),
    code: 'REGISTRY_FAILED',
    facts: { reason: `X: ${'y'.repeat(297)}…` }
  }
]

describe('a manifest is refused that', () => {
  test.each(BAD)('$name', async ({ fault, code, facts, reference = 'it' }) => {
    await withRegistry(fault, async ({ client, registry }) => {
      const error = await failureOf(client.document(reference, LIMIT))
      expect(error.code).toBe(code)
      expect(error.facts).toMatchObject({
        host: registry.host,
        request: `GET /v2/library/thing/manifests/${reference}`,
        ...facts
      })
    })
  })
})

test('documents are stored, found and read again', async () => {
  await withRegistry(undefined, async ({ client }) => {
    expect(await client.hasDocument('new')).toBe(false)
    const digest = await client.putDocument('new', { bytes: MANIFEST, mediaType: OCI_MANIFEST })
    expect(digest).toBe(sha256(MANIFEST))
    expect(await client.hasDocument('new')).toBe(true)
    expect((await client.document(digest, LIMIT)).bytes.equals(MANIFEST)).toBe(true)
  })
})

test('a registry that stores other bytes is found out', async () => {
  const fault: Fault = ({ request, response }) =>
    request.method === 'PUT' && send(response, 201, { 'docker-content-digest': sha256(BARE) })
  await withRegistry(fault, async ({ client }) => {
    const error = await failureOf(
      client.putDocument('new', { bytes: MANIFEST, mediaType: OCI_MANIFEST })
    )
    expect(error.code).toBe('BLOB_DIGEST_MISMATCH')
  })
})

/** Each page names another one, and has the same on it. */
const leadingOn =
  (key: string, items: unknown): Fault =>
  ({ url, response, before }) => {
    if (!/\/(?:tags|referrers)\//.test(url.pathname)) return false
    // a client that does not notice ends here
    const link = before > 100 ? {} : { link: `<${url.pathname}?n=9&last=${before}>; rel="next"` }
    return send(response, 200, link, JSON.stringify({ [key]: items }))
  }

describe('tags', () => {
  const all = async (tags: AsyncIterable<string[]>): Promise<string[]> => {
    const found: string[] = []
    for await (const page of tags) found.push(...page)
    return found
  }
  const page =
    (link: string | undefined, tags: unknown): Fault =>
    ({ url, response }) =>
      url.pathname.endsWith('/tags/list') &&
      url.searchParams.has('n') &&
      send(response, 200, link === undefined ? {} : { link }, JSON.stringify({ tags }))

  test('come page by page', async () => {
    const fault: Fault = ({ url, response, request }) => {
      if (!url.pathname.includes('/tags/')) return false
      const last = url.searchParams.get('last')
      const next = { '': 'b', b: 'c' }[last ?? '']
      const host = `http://${request.headers.host!}`
      const links = [
        `<${url.pathname}?n=1&last=${next!}>; rel="next"`,
        `<${host}${url.pathname}?last=${next!}>;rel=next`
      ]
      const link = next === undefined ? {} : { link: links[last === null ? 0 : 1]! }
      return send(response, 200, link, JSON.stringify({ tags: [`${last ?? 'a'}1`] }))
    }
    await withRegistry(fault, async ({ client }) => {
      expect(await all(client.tags())).toEqual(['a1', 'b1', 'c1'])
    })
  })

  test('may be null', async () => {
    await withRegistry(page(undefined, null), async ({ client }) => {
      expect(await all(client.tags())).toEqual([])
    })
  })

  test.each([
    [
      'that never end',
      page('</v2/library/thing/tags/list?n=1000&x>; rel="next"', []),
      'its pages do not end'
    ],
    ['that always lead on', leadingOn('tags', ['a', 'b']), 'its pages do not end'],
    ['without any tags that always lead on', leadingOn('tags', null), 'its pages do not end'],
    [
      'of another host',
      page('<http://elsewhere/v2/>; rel="next"', []),
      'its next page is not on the same host'
    ],
    ['that are not texts', page(undefined, [1]), 'it is not a list of tags'],
    ['that are not a list', page(undefined, 'a'), 'it is not a list of tags']
  ])('%s are refused', async (_name, fault, reason) => {
    await withRegistry(fault, async ({ client }) => {
      const error = await failureOf(all(client.tags()))
      expect(error).toMatchObject({ code: 'REGISTRY_ANSWER_INVALID', facts: { reason } })
    })
  })

  test('of a repository that does not exist', async () => {
    const fault: Fault = ({ url, response }) =>
      url.pathname !== '/v2/' && refuse(response, 404, 'NAME_UNKNOWN')
    await withRegistry(fault, async ({ client }) => {
      expect((await failureOf(all(client.tags()))).code).toBe('REPOSITORY_NOT_FOUND')
    })
  })
})

describe('referrers', () => {
  const subject = sha256(Buffer.from('subject'))
  const tag = subject.replace(':', '-')

  test('that always lead on are refused', async () => {
    await withRegistry(leadingOn('manifests', [{ digest: subject }]), async ({ client }) => {
      const error = await failureOf(client.referrers(subject))
      expect(error).toMatchObject({
        code: 'REGISTRY_ANSWER_INVALID',
        facts: { reason: 'its pages do not end' }
      })
    })
  })
  const api =
    (status: number, headers: Record<string, string>, body: string | Buffer): Fault =>
    ({ url, response }) =>
      url.pathname.includes('/referrers/') && send(response, status, headers, body)

  test.each([
    ['as the specification says', { 'content-type': OCI_INDEX }],
    ['as JSON', { 'content-type': 'application/json' }],
    ['as a list of Docker', { 'content-type': DOCKER_LIST }]
  ])('come from the registry %s', async (_name, headers) => {
    await withRegistry(api(200, headers, INDEX), async ({ client }) => {
      expect((await client.referrers(subject)).equals(INDEX)).toBe(true)
    })
  })

  test('come page by page', async () => {
    const fault: Fault = ({ url, response }) => {
      if (!url.pathname.includes('/referrers/')) return false
      const isSecond = url.searchParams.has('page')
      const link = `<${url.pathname}?page=2>; rel="next"`
      const body = json({ manifests: isSecond ? [{ digest: 'y' }] : [{ digest: 'x' }] })
      return send(response, 200, isSecond ? {} : { link }, body)
    }
    await withRegistry(fault, async ({ client }) => {
      const index = JSON.parse((await client.referrers(subject)).toString()) as object
      expect(index).toEqual({
        schemaVersion: 2,
        mediaType: OCI_INDEX,
        manifests: [{ digest: 'x' }, { digest: 'y' }]
      })
    })
  })

  test.each([
    ['does not know the question', api(404, {}, '404 page not found')],
    ['does not know the method', api(405, {}, '')],
    ['answers with a web page', api(200, { 'content-type': 'text/html' }, '<html>')]
  ])('come from a tag if the registry %s', async (_name, fault) => {
    await withRegistry(fault, async ({ client, registry }) => {
      const none = JSON.parse((await client.referrers(subject)).toString()) as object
      expect(none).toEqual({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] })
      registry.addDocument(tag, INDEX, OCI_INDEX)
      expect((await client.referrers(subject)).equals(INDEX)).toBe(true)
    })
  })

  test('are none if the registry takes the tag for the digest', async () => {
    const fault: Fault = ({ url, response }) =>
      url.pathname.includes('/manifests/') &&
      send(response, 200, { 'content-type': OCI_INDEX }, INDEX)
    await withRegistry(fault, async ({ client, events }) => {
      const index = JSON.parse((await client.referrers(sha256(INDEX))).toString()) as object
      expect(index).toMatchObject({ manifests: [] })
      expect(events).toEqual([])
    })
  })

  test('are none, with a warning, if the tag is an image', async () => {
    await withRegistry(undefined, async ({ client, registry, events }) => {
      registry.addDocument(tag, MANIFEST, OCI_MANIFEST)
      const index = JSON.parse((await client.referrers(subject)).toString()) as object
      expect(index).toMatchObject({ manifests: [] })
      expect(events).toMatchObject([{ type: 'warning', facts: { found: OCI_MANIFEST } }])
    })
  })

  test('of a registry that has a problem are an error', async () => {
    await withRegistry(api(500, {}, ''), async ({ client }) => {
      expect((await failureOf(client.referrers(subject))).code).toBe('REGISTRY_FAILED')
    })
  })
})
