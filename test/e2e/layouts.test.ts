/** `init`, `new`, `tag`, `remove` and `list` beside Debian's umoci: the same layout, output and exit status. */
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { library } from '../support/dist.ts'
import { buildImage } from '../support/image-builder.ts'
import { needs } from '../support/requires.ts'
import { ok, run, type Run } from '../support/run.ts'
import { directory, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { ociUnpack, ociUnpackCommand, ociUnpackOk } from './cli.ts'
import { unpackFlags } from '../support/whoever.ts'

let work: string
let ours: string
let theirs: string

beforeEach(() => {
  work = makeTemporary()
  ours = `${work}/ours`
  theirs = `${work}/theirs`
})
afterEach(() => removeTemporary(work))

/** The same arguments for both programs, each with its own layout for `LAYOUT`. */
function both(...args: string[]): { oci: Run; umoci: Run } {
  const at = (layout: string): string[] => args.map((arg) => arg.replace('LAYOUT', layout))
  return { oci: ociUnpack(...at(ours)), umoci: run('umoci', ...at(theirs)) }
}

/** That both say the same on stdout with the same status, and nothing else where all went well. */
function expectSame(...args: string[]): Run {
  const { oci, umoci } = both(...args)
  expect({ status: oci.status, stdout: oci.stdout }).toEqual({
    status: umoci.status,
    stdout: umoci.status === 0 ? umoci.stdout : ''
  })
  expect(oci.stderr === '').toBe(oci.status === 0)
  return oci
}

/** A document without what only newer versions of umoci write, and with dates that are alike. */
function canonical(path: string): unknown {
  const { mediaType, created, ...value } = JSON.parse(readFileSync(path, 'utf8')) as Record<
    string,
    unknown
  >
  expect(mediaType ?? '').toMatch(/^$|^application\/vnd\.oci\./)
  const dated = created === undefined ? value : { ...value, created: typeof created }
  return { ...dated, ...('manifests' in value ? { manifests: value['manifests'] ?? [] } : {}) }
}

function index(layout: string): { manifests: { digest: string; size: number }[] } {
  return canonical(`${layout}/index.json`) as ReturnType<typeof index>
}

function blob(layout: string, digest: string): string {
  return `${layout}/blobs/${digest.replace(':', '/')}`
}

/** Two layouts with the same image under `latest`. */
function image(): void {
  buildImage(ours, { layers: [tar(directory('etc/'))] })
  ok('cp', '-a', ours, theirs)
}

describe.runIf(needs('umoci'))('init', () => {
  test('makes the layout that umoci makes, with the directories above it', () => {
    expectSame('init', '--layout', 'LAYOUT/deep/down')
    for (const name of ['', '/blobs', '/blobs/sha256', '/index.json', '/oci-layout'])
      expect(statSync(`${ours}/deep/down${name}`).mode).toBe(
        statSync(`${theirs}/deep/down${name}`).mode
      )
    expect(index(`${ours}/deep/down`)).toEqual(index(`${theirs}/deep/down`))
    expect(readFileSync(`${ours}/deep/down/oci-layout`, 'utf8')).toBe(
      readFileSync(`${theirs}/deep/down/oci-layout`, 'utf8')
    )
    expect(ok('umoci', 'ls', '--layout', `${ours}/deep/down`).stdout).toBe('')
  })

  test('refuses whatever is there, an empty directory too, and changes nothing', () => {
    for (const layout of [ours, theirs]) mkdirSync(layout)
    expect(expectSame('init', '--layout', 'LAYOUT').stderr).toContain('LAYOUT_EXISTS')
    expect(readdirSync(ours)).toEqual([])
  })

  test('leaves nothing of the directories above where it fails', () => {
    const path = `${work}/a/b/${'x'.repeat(256)}`
    expect(ociUnpack('init', '--layout', path).stderr).toContain('SYSCALL_FAILED')
    expect(existsSync(`${work}/a`)).toBe(false)
  })

  test.each([[[]], [['--layout', '']], [['--layout', 'a:b']], [['--layout', 'LAYOUT', 'more']]])(
    'refuses %j as umoci does',
    (args) => {
      expectSame('init', ...args)
      expect(existsSync(ours)).toBe(false)
    }
  )
})

describe.runIf(needs('umoci'))('new', () => {
  test('makes the image that umoci makes', () => {
    expectSame('init', '--layout', 'LAYOUT')
    expectSame('new', '--image', 'LAYOUT:a')
    expectSame('new', '--image', 'LAYOUT')
    expectSame('list', '--layout', 'LAYOUT')
    for (const layout of [ours, theirs]) expect(index(layout).manifests).toHaveLength(2)
    const documents = [ours, theirs].map((layout) => {
      const { digest } = index(layout).manifests[0]!
      const { config, ...manifest } = canonical(blob(layout, digest)) as {
        config: { digest: string; size: number; mediaType: string }
      }
      const { mediaType } = config
      return { manifest, mediaType, config: canonical(blob(layout, config.digest)) }
    })
    expect(documents[0]).toEqual(documents[1])
    ok('umoci', 'unpack', ...unpackFlags, '--image', `${ours}:a`, `${work}/bundle`)
  })

  test('takes its date from SOURCE_DATE_EPOCH, and is the same each time', () => {
    ociUnpackOk('init', '--layout', ours)
    const args = [...ociUnpackCommand, 'new', '--image']
    for (const tag of ['a', 'b']) ok('env', 'SOURCE_DATE_EPOCH=1', ...args, `${ours}:${tag}`)
    const [a, b] = index(ours).manifests
    expect(a!.digest).toBe(b!.digest)
    const { stdout } = ociUnpackOk('stat', '--json', '--image', `${ours}:a`)
    expect(stdout).toContain('"created":"1970-01-01T00:00:01Z"')
    expect(run('env', 'SOURCE_DATE_EPOCH=x', ...args, `${ours}:c`).status).toBe(1)
    expect(index(ours).manifests).toHaveLength(2)
  })

  test('moves a tag that is there, and needs a layout', () => {
    image()
    expectSame('new', '--image', 'LAYOUT')
    expect(index(ours).manifests).toHaveLength(1)
    expectSame('new', '--image', 'LAYOUT/nothing:x')
  })
})

describe.runIf(needs('umoci'))('tag', () => {
  test('gives an image one more name, in the place where umoci puts it', () => {
    image()
    expectSame('tag', '--image', 'LAYOUT', 'b')
    expectSame('tag', '--image', 'LAYOUT:b', 'a/c@1')
    expectSame('tag', '--image', 'LAYOUT:a/c@1', 'latest')
    expectSame('list', '--layout', 'LAYOUT')
    expect(index(ours)).toEqual(index(theirs))
  })

  test.each([
    [['--image', 'LAYOUT:nope', 'x']],
    [['--image', 'LAYOUT', 'two words']],
    [['--image', 'LAYOUT', '']],
    [['--image', 'LAYOUT']],
    [['--image', 'LAYOUT', 'x', 'y']],
    [['x']]
  ])('refuses %j as umoci does', (args) => {
    image()
    const before = readFileSync(`${ours}/index.json`)
    expectSame('tag', ...args)
    expect(readFileSync(`${ours}/index.json`)).toEqual(before)
  })

  test('names an index as it is, or one image of it', async () => {
    const platforms = ['amd64', 'arm64'].map((architecture) => {
      const { layout, manifest } = buildImage(`${work}/${architecture}`, {
        layers: [tar()],
        config: { architecture }
      })
      ok('cp', '-aT', layout, ours)
      return { ...manifest, platform: { os: 'linux', architecture } }
    })
    nest(ours, platforms)
    await library.tagImage({ image: `${ours}:multi`, tag: 'same' })
    await library.tagImage({ image: `${ours}:multi`, tag: 'arm', platform: 'linux/arm64' })
    const [multi, same, arm] = index(ours).manifests
    expect(same).toMatchObject({ digest: multi!.digest, size: multi!.size })
    expect(arm).toMatchObject({
      digest: platforms[1]!.digest,
      platform: { architecture: 'arm64' },
      annotations: { 'org.opencontainers.image.ref.name': 'arm' }
    })
    const missing = library.tagImage({ image: `${ours}:multi`, tag: 'x', platform: 'linux/s390x' })
    await expect(missing).rejects.toMatchObject({ code: 'PLATFORM_NOT_FOUND' })
  })
})

describe.runIf(needs('umoci'))('remove', () => {
  test('forgets a tag and keeps the blobs; a tag that is not there is no error', () => {
    image()
    expectSame('tag', '--image', 'LAYOUT', 'b')
    expectSame('rm', '--image', 'LAYOUT')
    expectSame('remove', '--image', 'LAYOUT:never')
    expect(index(ours)).toEqual(index(theirs))
    expectSame('rm', '--image', 'LAYOUT:b')
    expect(index(ours)).toEqual(index(theirs))
    expect(readdirSync(`${ours}/blobs/sha256`)).toHaveLength(3)
    expectSame('rm', '--image', 'LAYOUT/nothing')
  })
})

describe.runIf(needs('umoci'))('list', () => {
  test('prints tags as umoci does: in order, as often as they occur, no untagged images', () => {
    image()
    const [entry] = index(ours).manifests
    const tagged = (tag: string): object => ({
      ...entry,
      annotations: { 'org.opencontainers.image.ref.name': tag }
    })
    const manifests = [tagged('z'), entry, tagged('a'), tagged('z'), { ...entry, annotations: {} }]
    for (const layout of [ours, theirs])
      writeFileSync(`${layout}/index.json`, JSON.stringify({ schemaVersion: 2, manifests }))
    expect(expectSame('ls', '--layout', 'LAYOUT').stdout).toBe('z\nlatest\na\nz\n')
    expectSame('list', '-layout=LAYOUT')
    for (const args of [[], ['x'], ['--layout', '/nowhere'], ['--layout', 'LAYOUT', '--bogus']])
      expectSame('ls', ...args)
    const lines = ociUnpackOk('ls', '--long', '--layout', ours).stdout.split('\n')
    expect(lines[0]).toMatch(/^TAG +PLATFORM +LAYERS +SIZE +CREATED +DIGEST$/)
    expect(lines[5]).toMatch(/^<none> +linux\/\w+ +1 +\d+\S*B +2026-01-01T00:00:00Z +sha256:/)
  })

  test('lists what is damaged or not there, with the reason', () => {
    image()
    const { digest } = index(ours).manifests[0]!
    writeFileSync(blob(ours, digest), 'x')
    const { stdout } = ociUnpackOk('ls', '--json', '--layout', ours)
    expect(JSON.parse(stdout)).toMatchObject([
      { tag: 'latest', descriptor: { digest }, images: [], error: 'BLOB_SIZE_MISMATCH' }
    ])
    expect(ociUnpackOk('ls', '--long', '--layout', ours).stdout).toContain('BLOB_SIZE_MISMATCH')
    expect(ociUnpackOk('ls', '--layout', ours).stdout).toBe('latest\n')
  })
})

/** Puts an index of these manifests into the layout and tags it `multi`, alone. */
function nest(layout: string, manifests: readonly object[]): void {
  const mediaType = 'application/vnd.oci.image.index.v1+json'
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests }))
  const digest = ok('sh', '-c', 'printf %s "$0" | sha256sum', bytes.toString()).stdout.slice(0, 64)
  writeFileSync(blob(layout, `sha256:${digest}`), bytes)
  const annotations = { 'org.opencontainers.image.ref.name': 'multi' }
  const entry = { mediaType, digest: `sha256:${digest}`, size: bytes.length, annotations }
  writeFileSync(`${layout}/index.json`, JSON.stringify({ schemaVersion: 2, manifests: [entry] }))
}
