/** Copies to a registry under a digest instead of a tag. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { copy } from '../../src/index.ts'
import { failureOf } from '../registry/support.ts'
import { NAME, startFaultyRegistry, type FaultyRegistry } from '../support/faulty-registry.ts'
import { buildImage } from '../support/image-builder.ts'
import { file, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'

let work: string
let source: string
let registry: FaultyRegistry
beforeEach(async () => {
  work = makeTemporary()
  source = buildImage(`${work}/layout`, { layers: [tar(file('f', 'content'))] }).reference
  registry = await startFaultyRegistry()
})
afterEach(async () => {
  await registry.close()
  removeTemporary(work)
})

test('an image gets no tag if its digest is the name', async () => {
  const { digest } = await copy({ source, destination: `oci-archive:${work}/archive` })
  await copy({ source, destination: `docker://${registry.host}/${NAME}@${digest!}` })
  expect([...registry.documents.keys()]).toEqual([digest])
})

test('an image with another digest is refused before anything is sent', async () => {
  const other = `sha256:${'0'.repeat(64)}`
  const error = await failureOf(
    copy({ source, destination: `docker://${registry.host}/${NAME}@${other}` })
  )
  expect(error.code).toBe('REFERENCE_INVALID')
  expect(error.facts.expected).toBe(other)
  expect(registry.seen.filter(({ method }) => !['GET', 'HEAD'].includes(method))).toEqual([])
  expect(registry.blobs.size).toBe(0)
})
