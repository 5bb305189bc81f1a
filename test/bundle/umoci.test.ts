import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ImageConfig } from '../../src/bundle/image-config.ts'
import { formatMetadata, parseMetadata } from '../../src/bundle/metadata.ts'
import { createRuntimeConfig, formatRuntimeConfig } from '../../src/bundle/runtime-config.ts'
import type { RuntimeSpec } from '../../src/bundle/runtime-spec.ts'
import { asOldUmoci } from '../support/old-umoci.ts'
import { needs } from '../support/requires.ts'

const PASSWD = 'root:x:0:0::/root:\nfirst:x:1000:100::/first:\napp:x:1000:1001::/app:\n'
const GROUP = 'adm:x:4:app,root\nusers:x:100:\nwheel:x:10:app\n'

describe.skipIf(!needs('umoci', 'root'))("beside Debian's umoci", () => {
  let work = ''

  beforeAll(() => {
    work = mkdtempSync(join(tmpdir(), 'oci-unpack-config-'))
    umoci('init', '--layout', 'layout')
    umoci('new', '--image', 'layout:empty')
    umoci('unpack', '--image', 'layout:empty', 'bundle')
    mkdirSync(join(work, 'bundle/rootfs/etc'))
    writeFileSync(join(work, 'bundle/rootfs/etc/passwd'), PASSWD)
    writeFileSync(join(work, 'bundle/rootfs/etc/group'), GROUP)
  })

  afterAll(() => rmSync(work, { recursive: true }))

  test.each<[string, string[]]>([
    ['says nothing', []],
    ['names a user', ['--config.user=app']],
    ['names a user and a group', ['--config.user=app:users']],
    ['gives ids', ['--config.user=7:8']],
    ['gives an id that is in passwd', ['--config.user=1000']],
    [
      'sets everything',
      [
        ...['--config.env=A=1', '--config.env=PATH=/bin', '--config.env=B=<&>', '--config.env=A=2'],
        ...[
          '--config.entrypoint=/e',
          '--config.cmd=c',
          '--config.cmd=',
          '--config.workingdir=w/../x'
        ],
        ...['--config.volume=/a b', '--config.exposedports=80/tcp'],
        ...['--config.exposedports=53/udp', '--config.label=z=1', '--config.label=a=\u2028é'],
        ...['--config.stopsignal=SIGINT', '--author=A <a@b>', '--created=2026-01-02T03:04:05.5Z']
      ]
    ]
  ])('gives the same config.json, but for known differences, where the image %s', (_, flags) => {
    const image = configure(flags)
    umoci('raw', 'runtime-config', '--image=layout:it', '--rootfs=bundle/rootfs', 'config.json')
    const theirs = readFileSync(join(work, 'config.json'), 'utf8')
    expect(formatRuntimeConfig(asOldUmoci(create(image), theirs, image))).toBe(theirs)
  })

  test.each([
    ['mapped', ['--uid-map=0:1000:5', '--gid-map=0:2000:6'], undefined],
    [
      'rootless',
      ['--rootless', '--uid-map=0:1000:5', '--gid-map=0:2000:6'],
      { resolvConfFlags: [] }
    ]
  ])('gives the same config.json when ids are %s', (_, flags, rootless) => {
    const image = configure(['--config.user=app', '--config.volume=/v'])
    umoci(
      'raw',
      'runtime-config',
      '--image=layout:it',
      ...flags,
      '--rootfs=bundle/rootfs',
      'config.json'
    )
    const theirs = readFileSync(join(work, 'config.json'), 'utf8')
    const spec = createRuntimeConfig({
      ...optionsFor(image),
      uidMaps: [{ containerId: 0, hostId: 1000, size: 5 }],
      gidMaps: [{ containerId: 0, hostId: 2000, size: 6 }],
      rootless
    })
    expect(formatRuntimeConfig(asOldUmoci(spec, theirs, image))).toBe(theirs)
  })

  test('is understood by it: a bundle with our umoci.json repacks, even with fields it does not know', () => {
    const file = join(work, 'bundle/umoci.json')
    const theirs = readFileSync(file, 'utf8')
    writeFileSync(file, formatMetadata(parseMetadata(theirs)))
    umoci('repack', '--image', 'layout:ours', 'bundle')
    expect(parseMetadata(readFileSync(file, 'utf8'))).toEqual(parseMetadata(theirs))
    writeFileSync(file, JSON.stringify({ ...(JSON.parse(theirs) as object), oci_unpack: { a: 1 } }))
    umoci('repack', '--image', 'layout:ours', 'bundle')
  })

  function configure(flags: readonly string[]): ImageConfig {
    umoci('config', '--image=layout:empty', '--tag=it', ...flags)
    const blob = (digest: string): unknown =>
      JSON.parse(readFileSync(join(work, 'layout/blobs', digest.replace(':', '/')), 'utf8'))
    const index = JSON.parse(readFileSync(join(work, 'layout/index.json'), 'utf8')) as Index
    const tagged = index.manifests.find(({ annotations }) =>
      Object.values(annotations).includes('it')
    )
    return blob((blob(tagged!.digest) as Manifest).config.digest) as ImageConfig
  }

  function umoci(...args: string[]): void {
    execFileSync('umoci', args, { cwd: work, stdio: 'pipe' })
  }
})

interface Index {
  manifests: { digest: string; annotations: Record<string, string> }[]
}

interface Manifest {
  config: { digest: string }
}

function create(image: ImageConfig): RuntimeSpec {
  return createRuntimeConfig(optionsFor(image))
}

function optionsFor(image: ImageConfig): Parameters<typeof createRuntimeConfig>[0] {
  const accounts = { passwd: PASSWD, group: GROUP }
  return { image, rootPath: 'rootfs', accounts, uidMaps: [], gidMaps: [], rootless: undefined }
}
