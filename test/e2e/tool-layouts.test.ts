/** Layouts as different tools write them, each read, changed and cleaned by every command, without any preparation. */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { EngineEvent } from '../../src/index.ts'
import { library } from '../support/dist.ts'
import { IndexBuilder, tagged, type Entry } from '../support/index-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { unpackOptions } from '../support/whoever.ts'

interface Tool {
  name: string
  entries: (it: IndexBuilder) => readonly (Entry | null)[]
  /** After the path of the layout. */
  image: string
  /** The tag of an image that is changed in place. */
  becomes: string
}

const created = { 'org.opencontainers.image.created': '2026-01-01T00:00:00Z' }

const TOOLS: readonly Tool[] = [
  {
    name: 'skopeo copy … oci:DIRECTORY, kaniko --oci-layout-path, jib and rules_oci',
    entries: (it) => [it.image('right')],
    image: '',
    becomes: 'latest'
  },
  {
    name: 'ko, for several platforms',
    entries: (it) => [it.index(it.imageFor('arm64'), it.imageFor('amd64', 'right'))],
    image: '',
    becomes: 'latest'
  },
  {
    name: 'docker save with the containerd store',
    entries: (it) => {
      const image = it.imageFor('amd64', 'right')
      const index = it.index(image, it.attestation(image))
      return [
        tagged({ ...index, annotations: created }, '1', 'docker.io/library/app:1'),
        tagged(it.imageFor('amd64', 'other'), '1', 'docker.io/library/other:1')
      ]
    },
    image: ':1',
    becomes: '1'
  },
  {
    name: 'docker save, by the full name',
    entries: (it) => [
      tagged(it.imageFor('amd64', 'other'), '1', 'docker.io/library/other:1'),
      tagged(it.imageFor('amd64', 'right'), '1', 'docker.io/library/app:1')
    ],
    image: ':app:1',
    becomes: 'docker.io/library/app:1'
  },
  {
    name: 'ctr image export and crane pull --annotate-ref',
    entries: (it) => [tagged(it.image('right'), 'host.example:5000/app:1')],
    image: ':host.example:5000/app:1',
    becomes: 'host.example:5000/app:1'
  },
  {
    name: 'docker buildx build -o type=oci without a name',
    entries: (it) => {
      const image = it.imageFor('amd64', 'right')
      return [{ ...it.index(image, it.attestation(image)), annotations: created }]
    },
    image: '',
    becomes: 'latest'
  },
  {
    name: 'a registry that garbage has got into',
    entries: (it) => [null, tagged(it.image('right'), 'v1', undefined), null],
    image: '',
    becomes: 'v1'
  }
]

let work: string
let layout: string
beforeEach(() => {
  work = makeTemporary()
  layout = `${work}/layout`
})
afterEach(() => removeTemporary(work))

const platform = 'linux/amd64'

async function commandOf(image: string): Promise<unknown> {
  const stat = await library.statImage({ image, platform })
  return stat.kind === 'image' ? stat.image.config?.content?.config?.Cmd?.[0] : 'an index'
}

describe.each(TOOLS)('$name', ({ entries, image, becomes }) => {
  const name = (): string => `${layout}${image}`

  beforeEach(() => {
    const built = new IndexBuilder(layout)
    built.write(...entries(built))
  })

  test('goes through all commands', async () => {
    const before = (await library.listImages({ layout })).length
    expect(await commandOf(name())).toBe('right')
    expect((await library.verify({ image: name(), jobs: 0 })).ok).toBe(true)
    expect((await library.collectGarbage({ layout })).blobs).toEqual([])
    await library.copy({ source: name(), destination: `${work}/copy:x`, platform })
    expect(await commandOf(`${work}/copy`)).toBe('right')
    const bundle = `${work}/bundle`
    await library.unpack({
      ...unpackOptions,
      image: name(),
      platform,
      destination: bundle,
      jobs: 0
    })
    writeFileSync(`${bundle}/rootfs/new`, 'new')
    await library.repack({ image: `${layout}:repacked`, bundle, jobs: 0 })
    expect(await commandOf(`${layout}:repacked`)).toBe('right')
    await library.removeTag({ image: `${layout}:repacked` })
    await library.configureImage({ image: name(), platform, changes: { cmd: ['changed'] } })
    expect(await commandOf(`${layout}:${becomes}`)).toBe('changed')
    await library.collectGarbage({ layout })
    expect((await library.verify({ layout, jobs: 0 })).ok).toBe(true)
    const after = (await library.listImages({ layout })).length
    expect(after - before).toBe(image === '' && becomes === 'latest' ? 1 : 0)
  })
})

test("buildx's local caches, before 0.12, have no file oci-layout", async () => {
  const built = new IndexBuilder(layout)
  built.write(tagged(built.image('right'), 'latest'))
  renameSync(`${layout}/oci-layout`, `${work}/away`)
  const events: EngineEvent[] = []
  const destination = `${work}/bundle`
  const onEvent = (event: EngineEvent): void => void events.push(event)
  await library.unpack({ ...unpackOptions, image: layout, destination, jobs: 0, onEvent })
  expect(events.filter(({ type }) => type === 'warning')).toHaveLength(1)
  mkdirSync(`${work}/only`)
  const nothing = library.statImage({ image: `${work}/only` })
  await expect(nothing).rejects.toMatchObject({ code: 'LAYOUT_INVALID' })
})
