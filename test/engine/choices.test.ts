/** What an operation chose is told, one event for each fact, and without secrets. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { copy, statImage, unpackRootfs, type EngineEvent } from '../../src/index.ts'
import { NAME, startFaultyRegistry, type FaultyRegistry } from '../support/faulty-registry.ts'
import { buildImage } from '../support/image-builder.ts'
import { file, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { unpackOptions } from '../support/whoever.ts'

let work: string
let source: string
let registry: FaultyRegistry
let choices: (EngineEvent & { type: 'choice' })[]
const onEvent = (event: EngineEvent): void => {
  if (event.type === 'choice') choices.push(event)
}
beforeEach(async () => {
  work = makeTemporary()
  registry = await startFaultyRegistry()
  choices = []
  source = buildImage(`${work}/layout`, { layers: [tar(file('f', 'content'))] }).reference
})
afterEach(async () => {
  await registry.close()
  removeTemporary(work)
})

test('an unpack says which image it takes, and how it reads layers', async () => {
  const { manifestDigest } = await unpackRootfs({
    ...unpackOptions,
    ...{ image: source, destination: `${work}/tree`, jobs: 0 },
    ...{ decompressor: 'none', onEvent }
  })
  expect(choices).toEqual([
    {
      type: 'choice',
      message: 'The image is chosen.',
      facts: { platform: 'linux/amd64', found: manifestDigest }
    },
    {
      type: 'choice',
      message: 'Layers are read.',
      facts: { found: '0 threads, gzip by Node, zstd by Node' }
    }
  ])
})

test('which registry is used for a name is told, and no password', async () => {
  const image = `docker://${registry.host}/${NAME}:1`
  await copy({ source, destination: image, onEvent })
  const credentials = { username: 'user', password: 'a secret' }
  await statImage({ image, registry: { credentials }, onEvent })
  const { host } = registry
  const told = { image: `${host}/${NAME}`, host, repository: NAME }
  expect(choices.map(({ facts }) => facts)).toEqual([told, told])
})
