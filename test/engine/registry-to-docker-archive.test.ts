/** Layers of a docker-archive are read twice, but fetched once. */
import { readdirSync, readFileSync } from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { library } from '../support/dist.ts'
import { NAME, startFaultyRegistry, type FaultyRegistry } from '../support/faulty-registry.ts'
import { buildImage } from '../support/image-builder.ts'
import { file, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'

let work: string
let before: string | undefined
let registry: FaultyRegistry
beforeEach(async () => {
  work = makeTemporary()
  before = process.env['TMPDIR']
  registry = await startFaultyRegistry()
})
afterEach(async () => {
  if (before === undefined) delete process.env['TMPDIR']
  else process.env['TMPDIR'] = before
  await registry.close()
  removeTemporary(work)
})

test('a docker-archive from a registry is that from a layout, and leaves nothing behind', async () => {
  const twice = tar(file('f', 'content'))
  const layers = [twice, tar(file('g', 'more')), twice]
  const { reference } = buildImage(`${work}/layout`, { layers })
  const remote = `docker://${registry.host}/${NAME}:1`
  await library.copy({ source: reference, destination: remote })
  await library.copy({ source: reference, destination: `docker-archive:${work}/near.tar` })

  process.env['TMPDIR'] = `${work}/tmp`
  const asked = registry.seen.length
  await library.copy({ source: remote, destination: `docker-archive:${work}/far.tar` })
  expect(readFileSync(`${work}/far.tar`)).toEqual(readFileSync(`${work}/near.tar`))
  const blobs = registry.seen.slice(asked).filter(({ path }) => path.includes('/blobs/'))
  expect(blobs.length).toBe(new Set(blobs.map(({ path }) => path)).size)
  expect(blobs.length).toBe(3)
  expect(readdirSync(`${work}/tmp`)).toEqual([])
})

test('an archive that exists is refused before any layer is fetched', async () => {
  const { reference } = buildImage(`${work}/layout`, { layers: [tar(file('f', 'content'))] })
  const remote = `docker://${registry.host}/${NAME}:1`
  await library.copy({ source: reference, destination: remote })
  const destination = `docker-archive:${work}/archive`
  await library.copy({ source: remote, destination })
  const asked = registry.seen.length
  await expect(library.copy({ source: remote, destination })).rejects.toMatchObject({
    code: 'ARCHIVE_EXISTS'
  })
  const types = registry.seen.slice(asked).filter(({ path }) => path.includes('/blobs/'))
  expect(types.length).toBe(1)
})
