/** A file of an image on a registry that is read at any offset: what is fetched for it. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startDockerRegistry, type DockerRegistry } from '../support/docker-registry.ts'
import { buildImage } from '../support/image-builder.ts'
import { needs } from '../support/requires.ts'
import { directory, file, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { library } from '../support/dist.ts'
import { noise } from '../support/noise.ts'
import { ociUnpackOk } from './cli.ts'

const MIB = 2 ** 20

describe.runIf(needs('docker-registry'))('a disk on a registry', () => {
  const work = makeTemporary()
  const disk = noise(40 * MIB)
  let registry: DockerRegistry
  let image: string
  let blobSize: number
  beforeAll(async () => {
    registry = await startDockerRegistry()
    const layers = [tar(directory('disk'), file('disk/disk.img', disk))]
    const local = buildImage(`${work}/layout`, { layers })
    blobSize = local.layers[0]!.size
    image = `docker://${registry.host}/vm:1`
    ociUnpackOk('copy', local.reference, image)
  })
  afterAll(async () => {
    await registry.close()
    removeTemporary(work)
  })

  test('is read as a whole once, and then only where it is needed', async () => {
    const { openImageFile } = library
    const options = { image, path: 'disk/disk.img', index: `${work}/index` }
    const first = await openImageFile(options)
    await first.close()
    const before = await registry.sent()
    const opened = await openImageFile(options)
    const target = Buffer.alloc(MIB)
    await opened.read(target, 21 * MIB)
    expect(target.equals(disk.subarray(21 * MIB, 22 * MIB))).toBe(true)
    const fetched = (await registry.sent()) - before
    expect(fetched).toBeGreaterThan(MIB / 2)
    // at most two spans of the 40 MiB
    expect(fetched).toBeLessThan(blobSize / 4)
    await opened.close()
  })

  test('is exported in one pass', async () => {
    const before = await registry.sent()
    const { stdout } = ociUnpackOk('file', 'export', '--image', image, '--disk', `${work}/disk`)
    expect(stdout).toContain(String(disk.length))
    const fetched = (await registry.sent()) - before
    expect(fetched).toBeGreaterThan(blobSize)
    expect(fetched).toBeLessThan(blobSize + MIB)
  })
})
