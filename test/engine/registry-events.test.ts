/** What a caller hears of a registry that fails now and then, and of bytes on their way. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { copy, listLayout, listReferrers, statImage, type EngineEvent } from '../../src/index.ts'
import { NAME, send, startFaultyRegistry, type FaultyRegistry } from '../support/faulty-registry.ts'
import { buildImage } from '../support/image-builder.ts'
import { file, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'

let work: string
let source: string
let registry: FaultyRegistry
let failing: string | undefined
beforeEach(async () => {
  work = makeTemporary()
  source = buildImage(`${work}/layout`, { layers: [tar(file('f', 'content'))] }).reference
  failing = undefined
  registry = await startFaultyRegistry(({ url, response }) => {
    if (failing === undefined || !url.pathname.includes(failing)) return false
    failing = undefined
    return send(response, 503, { 'retry-after': '0' })
  })
})
afterEach(async () => {
  await registry.close()
  removeTemporary(work)
})

test('bytes of an upload are counted, without those that are there', async () => {
  const destination = `docker://${registry.host}/${NAME}:1`
  const sums: (EngineEvent & { type: 'transfer' })[] = []
  const onEvent = (event: EngineEvent): void => {
    if (event.type === 'transfer') sums.push(event)
  }
  await copy({ source, destination, onEvent })
  const size = [...registry.blobs.values()].reduce((sum, { length }) => sum + length, 0)
  expect(sums.at(-1)).toMatchObject({ bytes: size, total: size })
  sums.length = 0
  await copy({ source, destination, onEvent })
  expect(sums).toEqual([])
})

const image = (): string => `docker://${registry.host}/${NAME}:1`
const layout = (): string => `docker://${registry.host}/${NAME}`
type OnEvent = (event: EngineEvent) => void
test.each<[string, string, (onEvent: OnEvent) => Promise<unknown>]>([
  ['statImage', 'manifests/1', (onEvent) => statImage({ image: image(), onEvent })],
  ['listLayout', 'tags/list', (onEvent) => listLayout({ layout: layout(), onEvent })],
  ['listReferrers', 'referrers/', (onEvent) => listReferrers({ image: image(), onEvent })],
  ['copy', 'manifests/1', (onEvent) => copy({ source, destination: image(), onEvent })]
])('%s tells that a request is sent again', async (_name, path, act) => {
  await copy({ source, destination: image() })
  const events: EngineEvent[] = []
  failing = path
  await act((event) => events.push(event))
  expect(events.filter(({ type }) => type === 'retry')).toEqual([
    {
      type: 'retry',
      host: registry.host,
      what: expect.stringContaining(path) as unknown,
      reason: 'HTTP 503',
      delayMs: expect.any(Number) as unknown
    }
  ])
})
