/** What cosign attaches to images goes along, and is shown. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { imageToAttachTo, named, storeAttachment, type NamedEntry } from '../support/attachments.ts'
import { library } from '../support/dist.ts'
import { NAME, startFaultyRegistry, type FaultyRegistry } from '../support/faulty-registry.ts'
import {
  storeJson,
  writeIndex,
  type BuiltImage,
  type Descriptor
} from '../support/image-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'

const { copy, listLayout, listReferrers, statImage } = library

const CONFIG = 'application/vnd.oci.image.config.v1+json'
const SIGNATURE = 'application/vnd.dev.cosign.simplesigning.v1+json'
const ATTESTATION = 'application/vnd.dsse.envelope.v1+json'
const SBOM = 'text/spdx+json'

let work: string
let image: BuiltImage
let signature: Descriptor
let attestation: Descriptor
let sbom: Descriptor
let signedSbom: Descriptor
let registry: FaultyRegistry
beforeEach(async () => {
  work = makeTemporary()
  registry = await startFaultyRegistry()
  image = imageToAttachTo(`${work}/layout`)
  signature = attachment(SIGNATURE)
  attestation = attachment(ATTESTATION)
  sbom = attachment(SBOM)
  signedSbom = attachment(SIGNATURE, 'of the SBOM')
  writeIndex(image.layout, [
    named(image.manifest, '1'),
    named(signature, tagOf(image.manifest, 'sig')),
    named(attestation, tagOf(image.manifest, 'att')),
    named(sbom, tagOf(image.manifest, 'sbom')),
    named(signedSbom, tagOf(sbom, 'sig'))
  ])
})
afterEach(async () => {
  await registry.close()
  removeTemporary(work)
})

/** cosign makes an image of which the layers are what is attached. */
function attachment(mediaType: string, content: string = mediaType): Descriptor {
  const config = storeJson(image.layout, CONFIG, {
    architecture: '',
    os: '',
    config: {},
    rootfs: { type: 'layers', diff_ids: [] }
  })
  return storeAttachment(image.layout, { config, mediaType, content })
}

function tagOf({ digest }: Descriptor, suffix: string): string {
  return `${digest.replace(':', '-')}.${suffix}`
}

async function rows(name: string): Promise<unknown[]> {
  const found = await listReferrers({ image: name })
  return found.map(({ artifactType, subject, tag, descriptor: { digest } }) => [
    artifactType,
    subject,
    tag,
    digest
  ])
}

function expected(): unknown[] {
  const { digest } = image.manifest
  return [
    [SIGNATURE, digest, tagOf(image.manifest, 'sig'), signature.digest],
    [ATTESTATION, digest, tagOf(image.manifest, 'att'), attestation.digest],
    [SBOM, digest, tagOf(image.manifest, 'sbom'), sbom.digest],
    [SIGNATURE, sbom.digest, tagOf(sbom, 'sig'), signedSbom.digest]
  ]
}

test('from a layout to a registry, to another repository, and back', async () => {
  const source = `${image.layout}:1`
  const remote = `docker://${registry.host}/${NAME}`
  expect(await rows(source)).toEqual(expected())
  await copy({ source, destination: `${remote}:1`, referrers: true })
  expect(await rows(`${remote}:1`)).toEqual(expected())
  await copy({ source: `${remote}:1`, destination: `${work}/back:1`, referrers: true })
  expect(await rows(`${work}/back:1`)).toEqual(expected())
  expect((await listLayout({ layout: `${work}/back` })).sort()).toEqual(
    (await listLayout({ layout: image.layout })).sort()
  )
  await copy({ source: `${work}/back:1`, destination: `oci-archive:${work}/a:1`, referrers: true })
  expect(await rows(`oci-archive:${work}/a:1`)).toEqual(expected())
})

test('they stay where they are if they are not asked for, and no tag of them is asked for', async () => {
  const remote = `docker://${registry.host}/${NAME}:1`
  await copy({ source: `${image.layout}:1`, destination: remote })
  expect([...registry.documents.keys()].filter((key) => key.includes('.'))).toEqual([])
  expect(registry.seen.filter(({ path }) => /\.(?:sig|att|sbom)$/.test(path))).toEqual([])
  expect(await rows(remote)).toEqual([])
})

test('a layout that cosign saved is understood, and gets the tags on its way', async () => {
  const kind = (descriptor: Descriptor, name: string): NamedEntry =>
    named(descriptor, 'example/app:1', { kind: `dev.cosignproject.cosign/${name}` })
  const entries = [
    kind(image.manifest, 'image'),
    kind(signature, 'sigs'),
    kind(attestation, 'atts')
  ]
  writeIndex(image.layout, entries)
  const remote = `docker://${registry.host}/${NAME}:1`
  await copy({ source: image.layout, destination: remote, referrers: true })
  expect(await rows(remote)).toEqual(expected().slice(0, 2))
})

test('what is attached is not one of several images', async () => {
  writeIndex(image.layout, [image.manifest, named(signature, tagOf(image.manifest, 'sig'))])
  await expect(statImage({ image: image.layout })).resolves.toBeDefined()
})
