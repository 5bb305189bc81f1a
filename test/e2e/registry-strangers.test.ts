/** A bundle of a stranger may say that its image is on the stranger's registry. */
import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  refuse,
  send,
  startFaultyRegistry,
  type FaultyRegistry
} from '../support/faulty-registry.ts'
import { buildImage } from '../support/image-builder.ts'
import { needs } from '../support/requires.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { file, tar } from '../support/tar-builder.ts'
import { ociUnpackCommand, ociUnpackOk } from './cli.ts'

let stranger: FaultyRegistry
let named: FaultyRegistry
let work: string

beforeEach(async () => {
  work = makeTemporary()
  const asking = { 'www-authenticate': 'Basic realm="here"' }
  stranger = await startFaultyRegistry(({ response }) => send(response, 401, asking))
  named = await startFaultyRegistry(({ request, response }) =>
    request.headers.authorization === undefined
      ? send(response, 401, asking)
      : refuse(response, 404, 'MANIFEST_UNKNOWN')
  )
  const { reference } = buildImage(`${work}/made`, { layers: [tar(file('a', 'one'))] })
  ociUnpackOk('unpack', '--image', reference, `${work}/bundle`)
  const path = `${work}/bundle/umoci.json`
  const metadata = JSON.parse(readFileSync(path, 'utf8')) as object
  const image_source = { transport: 'docker', path: `//${stranger.host}/x/y` }
  writeFileSync(path, JSON.stringify({ ...metadata, image_source }))
  ociUnpackOk('init', '--layout', `${work}/layout`)
})
afterEach(async () => {
  await stranger.close()
  await named.close()
  removeTemporary(work)
})

describe.runIf(needs('root'))('credentials that were given for a repack', () => {
  test.each([
    ['to a layout', () => `${work}/layout:1`, 0],
    ['to another registry', () => `docker://${named.host}/x/z:1`, 1]
  ])('%s are not sent to the registry that the bundle names', async (_, image, expected) => {
    const [program, ...first] = ociUnpackCommand
    const args = ['repack', '--creds', 'alice:hush', '--image', image(), `${work}/bundle`]
    const child = spawn(program, [...first, ...args], { env: { ...process.env, HOME: work } })
    await new Promise((resolve) => child.on('close', resolve))
    const authorizations = ({ seen }: FaultyRegistry): number =>
      seen.filter(({ headers }) => headers.authorization !== undefined).length
    expect(stranger.seen.length).toBeGreaterThan(0)
    expect(authorizations(stranger)).toBe(0)
    expect(authorizations(named) > 0).toBe(expected > 0)
  })
})
