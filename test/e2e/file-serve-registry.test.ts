/** `file serve` on a registry: what is fetched for it, and what becomes of tokens meanwhile. */
import { readdirSync, statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { library } from '../support/dist.ts'
import {
  REGISTRY_USER,
  startDockerRegistry,
  startTokenRegistry,
  type DockerRegistry
} from '../support/docker-registry.ts'
import { NAME, startFaultyRegistry } from '../support/faulty-registry.ts'
import { startFileServer, type FileServerProcess } from '../support/file-server.ts'
import { imageInForm, layerForms } from '../support/layer-forms.ts'
import { NbdClient } from '../support/nbd-client.ts'
import { noise } from '../support/noise.ts'
import { needs } from '../support/requires.ts'
import { directory, file } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { startTokenService } from '../support/token-service.ts'

const MIB = 2 ** 20
/** In several spans, which have about 4 MiB. */
const disk = noise(14 * MIB)
const entries = [directory('disk'), file('disk/disk.img', disk), file('etc/after', 'x')]
const forms = layerForms().filter(({ name }) => ['gzip', 'eStargz', 'zstd:chunked'].includes(name))
const { username, password } = REGISTRY_USER

let work: string
beforeEach(() => {
  work = makeTemporary()
})
afterEach(() => removeTemporary(work))

describe.runIf(needs('docker-registry'))('a layer on a registry', () => {
  let registry: DockerRegistry
  beforeAll(async () => {
    registry = await startDockerRegistry()
  })
  afterAll(() => registry.close())

  test.each(forms.map((form) => [form.name, form] as const))(
    'in %s is downloaded once, and then only where it is read',
    async (_name, form) => {
      const image = `docker://${registry.host}/vm:1`
      const source = imageInForm(`${work}/layout`, form, [entries])
      await library.copy({ source, destination: image })
      const size = largestBlob()
      const start = await registry.sent()
      await (await served(image)).end('SIGTERM')
      const indexed = await registry.sent()
      expect(indexed - start).toBeGreaterThan(size)
      expect(indexed - start).toBeLessThan(size + MIB)

      const server = await served(image)
      await expectParts(9 * MIB)
      await server.end('SIGTERM')
      const fetched = (await registry.sent()) - indexed
      expect(fetched).toBeGreaterThan(MIB / 4)
      // one of three or four spans
      expect(fetched).toBeLessThan(size / 2)
    }
  )
})

describe('a token', () => {
  test.runIf(needs('docker-registry'))('that expires between two reads is renewed', async () => {
    const registry = await startTokenRegistry(2)
    try {
      const image = `docker://${registry.host}/vm:1`
      const options = { destinationRegistry: { credentials: REGISTRY_USER } }
      await library.copy({ ...options, source: layout(), destination: image })
      const server = await served(image, '--creds', `${username}:${password}`)
      await expectParts(MIB)
      const before = registry.tokens()
      await sleep(2100)
      await expectParts(9 * MIB)
      expect(registry.tokens()).toBeGreaterThan(before)
      expect((await server.end('SIGTERM')).stderr).not.toContain('could not be read')
    } finally {
      await registry.close()
    }
  })

  test('that is not accepted any more is asked for again', async () => {
    const service = await startTokenService()
    const registry = await startFaultyRegistry((exchange) => service.guard(exchange))
    try {
      const image = `docker://${registry.host}/${NAME}:1`
      await library.copy({ source: layout(), destination: image })
      const server = await served(image)
      await expectParts(MIB)
      const before = service.asked.length
      service.valid.clear()
      await expectParts(9 * MIB)
      expect(service.asked.length).toBe(before + 1)
      expect((await server.end('SIGTERM')).stderr).not.toContain('could not be read')
    } finally {
      await registry.close()
      await service.close()
    }
  })
})

function layout(): string {
  return imageInForm(`${work}/layout`, forms[0]!, [entries])
}

function largestBlob(): number {
  const blobs = `${work}/layout/blobs/sha256`
  return Math.max(...readdirSync(blobs).map((name) => statSync(`${blobs}/${name}`).size))
}

/** With an index that stays, on a socket. */
function served(image: string, ...more: string[]): Promise<FileServerProcess> {
  const place = ['--index', `${work}/index`, '--socket', `${work}/socket`]
  return startFileServer(1, '--image', image, ...place, '--disk', ...more)
}

async function expectParts(...offsets: number[]): Promise<void> {
  const client = await NbdClient.open({ path: `${work}/socket` }, 'simple')
  for (const offset of offsets) {
    const { content, error } = await client.read({ offset, length: 65_536 })
    expect(error).toBeUndefined()
    expect(content.equals(disk.subarray(offset, offset + 65_536))).toBe(true)
  }
  await client.close()
}
