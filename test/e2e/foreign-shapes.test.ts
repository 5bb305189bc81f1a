/** Images as buildx, podman, docker, skopeo, kaniko, Jib, ko and others write them go through every command. */
import * as fs from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { SHAPES, type Shape } from '../support/foreign-shapes.ts'
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

    test('is copied, changed and repacked, and gc keeps what it needs', () => {
      const { image, choose } = made(shape)
      const copy = `${work}/copy`
      ociUnpackOk('copy', image, `${copy}:app`)
      ociUnpackOk('unpack', '--image', `${copy}:app`, ...choose, `${work}/bundle`)
      expect(ociUnpackOk('diff', `${work}/bundle`).stdout).toBe('')
      fs.writeFileSync(`${work}/bundle/rootfs/srv/new`, 'new\n')
      ociUnpackOk('repack', '--image', `${copy}:changed`, `${work}/bundle`)
      ociUnpackOk('gc', '--layout', copy)
      for (const tag of ['app', 'changed']) ociUnpackOk('verify', '--image', `${copy}:${tag}`)
      ociUnpackOk('raw', 'unpack', '--image', `${copy}:changed`, ...choose, `${work}/again`)
      expect(treeOf(`${work}/again`)).toEqual({ ...TREE, 'srv/new': 'new\n' })
    })

    test('has a config that can be changed', () => {
      const { image, choose } = made(shape)
      ociUnpackOk('copy', image, `${work}/copy:app`)
      const change = ['--config.env', 'ADDED=1', '--tag', 'new']
      ociUnpackOk('config', '--image', `${work}/copy:app`, ...choose, ...change)
      ociUnpackOk('verify', '--image', `${work}/copy:new`)
      const config = ['raw', 'runtime-config', '--image', `${work}/copy:new`, ...choose]
      ociUnpackOk(...config, `${work}/config.json`)
      expect(fs.readFileSync(`${work}/config.json`, 'utf8')).toContain('"ADDED=1"')
    })
  }
)

function made(shape: Shape): { image: string; source: string; choose: readonly string[] } {
  const at = `${work}/source`
  fs.mkdirSync(at)
  const image = shape.make(at)
  const source = /^(?:[a-z-]+:)?[^:]*/.exec(image)![0]
  return { image, source, choose: shape.choose ?? [] }
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
