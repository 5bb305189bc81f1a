/** The worked example of hooks as functions, run as its README says. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { blobPath, buildImage, type Descriptor } from '../support/image-builder.ts'
import { install } from '../support/install.ts'
import { mountNew, type Mounted } from '../support/loop.ts'
import { needs } from '../support/requires.ts'
import { ok, run, type Run } from '../support/run.ts'
import { directory, file, tar } from '../support/tar-builder.ts'
import { ociUnpackOk } from './cli.ts'

const program = new URL('../../contrib/stacker-like/build.mjs', import.meta.url).pathname

describe.skipIf(!needs('root', 'overlay', 'ldd', 'tar', 'chroot'))('contrib/stacker-like', () => {
  let disk: Mounted
  const at = (name: string): string => join(disk.path, name)

  beforeAll(() => {
    disk = mountNew('tmpfs')
    for (const tool of ['/bin/sh', '/bin/rm', '/bin/mkdir']) install(at('tools'), tool)
    ok('tar', '-C', at('tools'), '-cf', at('tools.tar'), '.')
    const layers = [readFileSync(at('tools.tar')), FILES]
    buildImage(at('image'), { layers, tag: 'base' })
  })
  afterAll(() => disk.release())

  const build = (from: string, to: string, ...command: string[]): Run =>
    run(
      'env',
      `XDG_CACHE_HOME=${at('xdg')}`,
      process.execPath,
      program,
      at('cache'),
      `${at('image')}:${from}`,
      `${at('image')}:${to}`,
      ...command
    )

  function namesInTopLayer(tag: string): string[] {
    const index = readJson(at('image/index.json')) as { manifests: Tagged[] }
    const image = index.manifests.find(({ annotations }) => annotations[REF_NAME] === tag)!
    const manifest = readJson(blob(image)) as { layers: Descriptor[] }
    return ok('tar', '-tzf', blob(manifest.layers.at(-1)!))
      .stdout.trimEnd()
      .split('\n')
      .sort()
  }

  const blob = (descriptor: Descriptor): string => blobPath(at('image'), descriptor)

  test('a step becomes a layer of what it changed, and nothing else', () => {
    const step = 'echo new >/etc/motd; rm -r /srv/old; mkdir /srv/old; : >/srv/old/added; rm /gone'
    const { status, stderr } = build('base', 'next', 'sh', '-c', step)
    expect(status).toBe(0)
    expect(stderr).toBe('extracted layer 1 of 2\nextracted layer 2 of 2\n')
    const names = [
      '.',
      '.wh.gone',
      'etc/motd',
      'srv/',
      'srv/old/',
      'srv/old/.wh.sub',
      'srv/old/added'
    ]
    expect(namesInTopLayer('next')).toEqual(names)
  })

  test('a step on that image extracts only the new layer', () => {
    const { stderr } = build('next', 'last', 'rm', '/etc/motd')
    expect(stderr).toBe('extracted layer 3 of 3\n')
    ociUnpackOk('raw', 'unpack', '--image', `${at('image')}:last`, at('last'))
    expect(readdirSync(at('last/etc'))).toEqual(['kept'])
    expect(readdirSync(at('last/srv/old'))).toEqual(['added'])
  })

  test('a step that fails makes no image, and leaves neither mount nor bundle', () => {
    const { status, stderr } = build('base', 'none', 'sh', '-c', 'exit 3')
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: 'The step ended with status 3: no image.\n'
    })
    expect(run('findmnt', '-n', '-S', 'stacker-like').stdout).not.toContain(disk.path)
    expect(readdirSync(at('cache')).sort()).toEqual(['staged', 'states'])
    expect(readdirSync(at('cache/staged'))).toEqual([])
  })
})

const FILES = tar(
  directory('etc/'),
  file('etc/motd', 'old'),
  file('etc/kept'),
  file('gone'),
  directory('srv/'),
  directory('srv/old/'),
  directory('srv/old/sub/'),
  file('srv/old/sub/file')
)

const REF_NAME = 'org.opencontainers.image.ref.name'

interface Tagged extends Descriptor {
  annotations: Record<string, string>
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'))
}
