/** Images as buildx, podman, docker, skopeo, kaniko, Jib, ko and others write them go through every command. */
import * as fs from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { SHAPES, type Shape } from '../support/foreign-shapes.ts'
import { library } from '../support/dist.ts'
import { needs } from '../support/requires.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { ociUnpackOk } from './cli.ts'

let work: string
beforeEach(() => {
  work = makeTemporary()
})
afterEach(() => removeTemporary(work))

/** Whichever tool wrote it: what is in the image. */
const TREE = {
  etc: 'directory',
  'etc/link': '-> passwd',
  'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\n',
  srv: 'directory',
  'srv/app': 'app\n'
}

describe.runIf(needs('root')).each(SHAPES.map((shape) => [shape.name, shape] as const))(
  'an image of %s',
  (_name, shape) => {
    test('is listed, shown, verified and unpacked', () => {
      const { image, choose, source } = made(shape)
      expect(ociUnpackOk('list', '--long', '--layout', source).stdout).not.toBe('')
      expect(ociUnpackOk('stat', '--image', image).stdout).not.toBe('')
      expect(ociUnpackOk('stat', '--json', '--image', image).stdout).toMatch(/^\{/)
      expect(ociUnpackOk('verify', '--image', image).stdout).toMatch(/^ok /m)
      ociUnpackOk('raw', 'unpack', '--image', image, ...choose, `${work}/tree`)
      expect(treeOf(`${work}/tree`)).toEqual(TREE)
    })

    test('is copied, changed and repacked, and gc keeps what it needs', async () => {
      const { image, platform } = made(shape)
      const [copy, bundle] = [`${work}/copy`, `${work}/bundle`]
      await library.copy({ source: image, destination: `${copy}:app` })
      await library.unpack({ image: `${copy}:app`, destination: bundle, ...platform })
      expect(await library.diff({ bundle })).toEqual([])
      fs.writeFileSync(`${bundle}/rootfs/srv/new`, 'new\n')
      await library.repack({ image: `${copy}:changed`, bundle })
      await library.collectGarbage({ layout: copy })
      for (const tag of ['app', 'changed'])
        expect(await library.verify({ image: `${copy}:${tag}` })).toMatchObject({ ok: true })
      const changed = { image: `${copy}:changed`, ...platform }
      await library.unpackRootfs({ ...changed, destination: `${work}/again` })
      expect(treeOf(`${work}/again`)).toEqual({ ...TREE, 'srv/new': 'new\n' })
    })

    test('has a config that can be changed', async () => {
      const { image, platform } = made(shape)
      await library.copy({ source: image, destination: `${work}/copy:app` })
      const changes = { env: ['ADDED=1'] }
      await library.configureImage({ image: `${work}/copy:app`, tag: 'new', changes, ...platform })
      const changed = { image: `${work}/copy:new`, ...platform }
      expect(await library.verify({ image: changed.image })).toMatchObject({ ok: true })
      await library.writeRuntimeConfig({ ...changed, file: `${work}/config.json` })
      expect(fs.readFileSync(`${work}/config.json`, 'utf8')).toContain('"ADDED=1"')
    })
  }
)

interface Made {
  image: string
  source: string
  choose: readonly string[]
  platform: { platform?: string }
}

function made(shape: Shape): Made {
  const at = `${work}/source`
  fs.mkdirSync(at)
  const image = shape.make(at)
  const source = /^(?:[a-z-]+:)?[^:]*/.exec(image)![0]
  const [, platform] = shape.choose ?? []
  return {
    image,
    source,
    choose: shape.choose ?? [],
    platform: platform === undefined ? {} : { platform }
  }
}

function treeOf(root: string): Record<string, string> {
  const paths = fs.readdirSync(root, { recursive: true, encoding: 'utf8' }).sort()
  return Object.fromEntries(paths.map((path) => [path, contentOf(`${root}/${path}`)]))
}

function contentOf(path: string): string {
  const status = fs.lstatSync(path)
  if (status.isSymbolicLink()) return `-> ${fs.readlinkSync(path)}`
  return status.isDirectory() ? 'directory' : fs.readFileSync(path, 'utf8')
}
