/** `list` and `stat` of archives say what they say of the layout that the archives were made from. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildImage } from '../support/image-builder.ts'
import { run } from '../support/run.ts'
import { file, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { ociUnpack, ociUnpackCommand, ociUnpackOk } from './cli.ts'

let work: string
let image: string
beforeAll(() => {
  work = makeTemporary()
  image = buildImage(`${work}/layout`, { layers: [tar(file('x', 'x')), tar(file('y'))] }).reference
  ociUnpackOk('copy', image, `oci-archive:${work}/oci.tar:latest`)
  ociUnpackOk('copy', image, `docker-archive:${work}/docker.tar:app:1.0`)
})
afterAll(() => removeTemporary(work))

test.each(['oci', 'docker'])(
  'a pipe in the place of an %s-archive is named as what it is',
  (kind) => {
    const script = `"$@" --layout ${kind}-archive:<(cat ${work}/${kind}.tar)`
    const { status, stderr } = run('bash', '-c', script, 'bash', ...ociUnpackCommand, 'list')
    expect(status).toBe(1)
    expect(stderr).toContain('An archive cannot be read from a pipe. [ARCHIVE_INVALID]')
  }
)

describe('an oci-archive', () => {
  test('lists its tags', () => {
    expect(said('list', '--layout', `oci-archive:${work}/oci.tar`)).toBe('latest\n')
  })

  test.each(['--long', '--json'])('shows with %s what the layout has', (form) => {
    const inLayout = said('stat', '--image', image, form)
    expect(said('stat', '--image', `oci-archive:${work}/oci.tar:latest`, form)).toBe(inLayout)
    expect(said('stat', '--image', `oci-archive:${work}/oci.tar`, form)).toBe(inLayout)
  })
})

describe('a docker-archive', () => {
  test('lists its full names', () => {
    const listed = said('ls', '--layout', `docker-archive:${work}/docker.tar`)
    expect(listed).toBe('docker.io/library/app:1.0\n')
  })

  test('has the config of the layout, and layers that are not compressed', () => {
    const stat = (name: string): Stat => JSON.parse(said('stat', '--json', '--image', name)) as Stat
    const saved = stat(`docker-archive:${work}/docker.tar:app:1.0`)
    expect(saved.config).toEqual(stat(image).config)
    const diffIds = saved.config.blob.rootfs.diff_ids
    expect(diffIds).toHaveLength(2)
    expect(saved.manifest.blob.layers.map(({ digest }) => digest)).toEqual(diffIds)
  })
})

interface Stat {
  manifest: { blob: { layers: { digest: string }[] } }
  config: { blob: { rootfs: { diff_ids: string[] } } }
}

test('a whole layout or archive is named without a tag', () => {
  for (const name of [image, `oci-archive:${work}/oci.tar:latest`])
    expect(ociUnpack('list', '--layout', name)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('REFERENCE_INVALID') as string
    })
})

test('an archive is not changed, but told how to', () => {
  const result = ociUnpack('tag', '--image', `oci-archive:${work}/oci.tar:latest`, 'other')
  expect(result).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('Copy it to a layout first') as string
  })
})

function said(...args: string[]): string {
  return ociUnpackOk(...args).stdout
}
