/** Documents that refer to others are listed, by the registry or by a tag that stands in for its list. */
import { expect, test } from 'vitest'
import { OCI_INDEX, OCI_MANIFEST } from '../../src/image/media-types.ts'
import { NAME, refuse, send, sha256, type Fault } from '../support/faulty-registry.ts'
import { withRegistry, type Tried } from './support.ts'

const json = (value: object): Buffer => Buffer.from(JSON.stringify(value))
const SUBJECT = sha256(Buffer.from('subject'))
const TAG = SUBJECT.replace(':', '-')
const ARTIFACT = 'application/vnd.example.sbom'

function referring(more: object = {}): Buffer {
  const subject = { mediaType: OCI_MANIFEST, digest: SUBJECT, size: 7 }
  const config = { mediaType: 'application/vnd.oci.empty.v1+json', digest: SUBJECT, size: 2 }
  return json({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [], subject, ...more })
}

async function put({ client }: Tried, bytes: Buffer): Promise<void> {
  await client.putDocument(sha256(bytes), { bytes, mediaType: OCI_MANIFEST })
}

function listed({ registry }: Tried): unknown {
  const bytes = registry.documents.get(TAG)?.bytes
  return bytes && JSON.parse(bytes.toString())
}

function entryOf(bytes: Buffer, more: object): object {
  return { mediaType: OCI_MANIFEST, digest: sha256(bytes), size: bytes.length, ...more }
}

test('the tag lists each of them once, with what it says of itself', async () => {
  const annotations = { 'org.example.key': 'value' }
  const first = referring({ artifactType: ARTIFACT, annotations })
  const second = referring()
  await withRegistry(undefined, async (tried) => {
    for (const bytes of [first, second, first]) await put(tried, bytes)
    expect(listed(tried)).toEqual({
      schemaVersion: 2,
      mediaType: OCI_INDEX,
      manifests: [
        entryOf(first, { artifactType: ARTIFACT, annotations }),
        entryOf(second, { artifactType: 'application/vnd.oci.empty.v1+json' })
      ]
    })
    expect(JSON.parse((await tried.client.referrers(SUBJECT)).toString())).toEqual(listed(tried))
    expect(tried.registry.seen.filter(({ method }) => method === 'PUT')).toHaveLength(5)
  })
})

test('what others wrote into the list stays', async () => {
  const other = { annotations: { a: 'b' }, manifests: [{ digest: 'odd', more: 1 }] }
  await withRegistry(undefined, async (tried) => {
    tried.registry.addDocument(TAG, json({ mediaType: OCI_INDEX, ...other }), OCI_INDEX)
    await put(tried, referring())
    expect(listed(tried)).toMatchObject({
      annotations: { a: 'b' },
      manifests: [{ digest: 'odd', more: 1 }, {}]
    })
  })
})

const lists: Fault = ({ request, response }) =>
  request.method === 'PUT' && send(response, 201, { 'oci-subject': SUBJECT })

test.each<[string, Fault, Buffer]>([
  ['a registry that lists them itself', lists, referring()],
  ['a document without a subject', () => false, referring({ subject: undefined })],
  ['a subject without a valid digest', () => false, referring({ subject: { digest: '../x' } })]
])('%s needs no tag', async (_name, fault, bytes) => {
  await withRegistry(fault, async (tried) => {
    await put(tried, bytes)
    expect(tried.registry.seen.map(({ method, path }) => [method, path])).toEqual([
      ['GET', '/v2/'],
      ['PUT', `/v2/${NAME}/manifests/${sha256(bytes)}`]
    ])
  })
})

test('a registry that takes the tag for the digest gets a list of its own', async () => {
  const index = json({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [{ digest: 'x' }] })
  const subject = { mediaType: OCI_INDEX, digest: sha256(index), size: index.length }
  const tag = subject.digest.replace(':', '-')
  const fault: Fault = ({ request, response, url }) =>
    request.method === 'GET' &&
    url.pathname.endsWith(tag) &&
    send(response, 200, { 'content-type': OCI_INDEX }, index)
  await withRegistry(fault, async (tried) => {
    await put(tried, referring({ subject }))
    const { bytes } = tried.registry.documents.get(tag)!
    expect(JSON.parse(bytes.toString())).toMatchObject({ manifests: [{ mediaType: OCI_MANIFEST }] })
  })
})

test('an image that has the tag stays, with a warning', async () => {
  await withRegistry(undefined, async (tried) => {
    tried.registry.addDocument(TAG, referring(), OCI_MANIFEST)
    await put(tried, referring({ artifactType: ARTIFACT }))
    expect(listed(tried)).toEqual(JSON.parse(referring().toString()))
    expect(tried.events).toMatchObject([{ type: 'warning', facts: { found: OCI_MANIFEST } }])
  })
})

test('a list that cannot be read is not replaced', async () => {
  const fault: Fault = ({ request, response, url }) =>
    request.method === 'GET' && url.pathname.endsWith(TAG) && refuse(response, 403, 'DENIED')
  await withRegistry(fault, async (tried) => {
    await expect(put(tried, referring())).rejects.toMatchObject({ code: 'REGISTRY_DENIED' })
    expect(listed(tried)).toBeUndefined()
  })
})
