/** Tags of a repository, and what refers to an image, with Debian's docker-registry, which has no referrers API. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { imageToAttachTo, named, storeAttachment } from '../support/attachments.ts'
import { startDockerRegistry, type DockerRegistry } from '../support/docker-registry.ts'
import {
  storeBlob,
  writeIndex,
  type BuiltImage,
  type Descriptor
} from '../support/image-builder.ts'
import { needs } from '../support/requires.ts'
import { run } from '../support/run.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { ociUnpack, ociUnpackOk } from './cli.ts'

const SBOM = 'application/vnd.example.sbom'
const SIGNATURE = 'application/vnd.example.signature'

describe.runIf(needs('docker-registry'))('a registry without the referrers API', () => {
  let registry: DockerRegistry
  let work: string
  let repository: string
  let image: BuiltImage
  let sbom: Descriptor
  let signature: Descriptor
  beforeEach(async () => {
    work = makeTemporary()
    registry = await startDockerRegistry()
    repository = `docker://${registry.host}/team/app`
    image = imageToAttachTo(`${work}/layout`)
    sbom = attach(image.layout, image.manifest, SBOM)
    signature = attach(image.layout, sbom, SIGNATURE)
    writeIndex(image.layout, [named(image.manifest, '1'), sbom, signature])
  })
  afterEach(async () => {
    await registry.close()
    removeTemporary(work)
  })

  const expected = (): object[] => [
    { artifactType: SBOM, subject: image.manifest.digest, digest: sbom.digest },
    { artifactType: SIGNATURE, subject: sbom.digest, digest: signature.digest }
  ]

  test('referrers go there and back, and to another registry name', () => {
    expect(listed(`${image.layout}:1`)).toEqual(expected())
    for (let round = 0; round < 2; round++)
      ociUnpackOk('copy', '--referrers', `${image.layout}:1`, `${repository}:1`)
    expect(listed(`${repository}:1`)).toEqual(expected())
    expect(ociUnpackOk('list', '--referrers', `${repository}:1`).stdout).toContain(SBOM)

    const { stderr } = ociUnpackOk(
      ...['--progress=json', 'copy', '--referrers', `${repository}:1`, `${work}/back:1`]
    )
    expect(stderr).toMatch(/^\{"type":"transfer","bytes":(\d+),"total":\1,"bytesPerSecond":\d+\}$/m)
    expect(listed(`${work}/back:1`)).toEqual(expected())
    ociUnpackOk('verify', '--layout', `${work}/back`)

    ociUnpackOk('copy', '--referrers', `${repository}:1`, `${repository}/other:1`)
    expect(listed(`${repository}/other:1`)).toEqual(expected())

    ociUnpackOk('copy', `${repository}:1`, `${work}/alone:1`)
    expect(listed(`${work}/alone:1`)).toEqual([])
  })

  test('skopeo sees the list of them under its tag', () => {
    ociUnpackOk('copy', '--referrers', `${image.layout}:1`, `${repository}:1`)
    const tag = image.manifest.digest.replace(':', '-')
    // where skopeo may look for credentials: root's directory for that keeps ordinary users out
    const runtime = `XDG_RUNTIME_DIR=${work}`
    const about = ['skopeo', 'inspect', '--raw', '--tls-verify=false', `${repository}:${tag}`]
    const { manifests } = JSON.parse(run('env', runtime, ...about).stdout) as {
      manifests: object[]
    }
    expect(manifests).toEqual([{ ...sbom, artifactType: SBOM, annotations: { kind: SBOM } }])
  })

  test('tags are listed, and shown where one is missing', () => {
    const signature = `${image.manifest.digest.replace(':', '-')}.sig`
    for (const tag of ['1', '2', signature])
      ociUnpackOk('copy', `${image.layout}:1`, `${repository}:${tag}`)
    for (const place of [[repository], ['--layout', repository]])
      expect(tagsOf(ociUnpackOk('list', ...place).stdout)).toEqual(['1', '2', signature])
    const { status, stderr } = ociUnpack('stat', '--image', repository)
    expect([status, stderr]).toEqual([1, expect.stringContaining(`${repository}:TAG`)])
    expect(stderr).toMatch(/There are (?:1, 2|2, 1)\./)
    const other = ociUnpack('stat', '--image', `${repository}:3`).stderr
    expect(other).not.toContain('There are')
    expect(other).toContain(`oci-unpack list ${repository}`)
  })

  test('images are changed in place', () => {
    ociUnpackOk('copy', `${image.layout}:1`, `${repository}:1`)
    ociUnpackOk('tag', '--image', `${repository}:1`, 'same')
    ociUnpackOk('config', '--image', `${repository}:1`, '--tag', '2', '--config.user', '7')
    ociUnpackOk('insert', '--image', `${repository}:2`, `${image.layout}/oci-layout`, 'more')
    ociUnpackOk('new', '--image', `${repository}:empty`)
    expect(tagsOf(ociUnpackOk('list', repository).stdout)).toEqual(['1', '2', 'empty', 'same'])
    const paths = ociUnpackOk('file', 'list', '--image', `${repository}:2`).stdout
    expect(paths.split('\n')).toEqual(expect.arrayContaining(['/f', '/more']))
    ociUnpackOk('raw', 'runtime-config', '--image', `${repository}:2`, `${work}/config.json`)
  })
})

test.each([
  ['remove', '--image', 'docker://localhost:1/app:1'],
  ['gc', '--layout', 'docker://localhost:1/app'],
  ['init', '--layout', 'docker://localhost:1/app']
])('%s is for layouts only, and says so', (...words) => {
  const { status, stderr } = ociUnpack(...words)
  expect([status, stderr]).toEqual([1, expect.stringContaining('only in layout directories')])
})

test.each([
  [['a', '--layout', 'b'], 'not both'],
  [['a', '--referrers', 'b'], 'not both'],
  [[], '--layout'],
  [[''], 'Argument 1 of the command is empty']
])('list %j is refused', (words, message) => {
  const { status, stderr } = ociUnpack('list', ...words)
  expect([status, stderr]).toEqual([1, expect.stringContaining(message)])
})

/** This registry lists them in any order. */
function tagsOf(stdout: string): string[] {
  return stdout.trimEnd().split('\n').sort()
}

function listed(name: string): object[] {
  const { stdout } = ociUnpackOk('list', '--json', '--referrers', name)
  const found = JSON.parse(stdout) as {
    artifactType: string
    subject: string
    descriptor: Descriptor
  }[]
  return found.map(({ artifactType, subject, descriptor: { digest } }) => ({
    artifactType,
    subject,
    digest
  }))
}

/** As `oras attach` would. The layout lists it without its type. */
function attach(layout: string, subject: Descriptor, artifactType: string): Descriptor {
  const config = storeBlob(layout, 'application/vnd.oci.empty.v1+json', Buffer.from('{}'))
  const manifest = { artifactType, subject, annotations: { kind: artifactType } }
  return storeAttachment(layout, {
    config,
    mediaType: artifactType,
    content: artifactType,
    manifest
  })
}
