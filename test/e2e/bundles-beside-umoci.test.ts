/** `unpack`, `raw unpack` and `raw runtime-config` beside Debian's umoci: the same tree, the same documents. */
import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compareTrees } from '../support/compare-trees.ts'
import { buildImage } from '../support/image-builder.ts'
import { needs } from '../support/requires.ts'
import { expectOk, type Run } from '../support/run.ts'
import { directory, file, symlink, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { contents, inBoth, type Program } from './both-programs.ts'

const MAPS = ['--uid-map=0:1000:10', '-uid-map', '20:3000', '--gid-map=0:2000:10']

const FLAGS: Readonly<Record<string, readonly string[]>> = {
  nothing: [],
  'mapped owners': MAPS,
  'kept links to directories': ['--keep-dirlinks'],
  'the switch turned off': ['--keep-dirlinks=false']
}

let work = ''
beforeAll(() => {
  work = makeTemporary()
  const etc = [directory('etc/'), file('etc/passwd', 'app:x:5:6::/home/app:\n')]
  const lower = tar(directory('./'), ...etc, directory('t/'), symlink('l', 't'))
  buildImage(`${work}/image`, {
    layers: [lower, tar(directory('l/'), file('l/x', 'x', { uid: 5, gid: 6, mode: 0o6755 }))],
    tag: 'base',
    config: {
      config: { User: 'app', Cmd: ['c'], Env: ['A=1'], WorkingDir: '/w', Volumes: { '/v': {} } }
    }
  })
})
afterAll(() => removeTemporary(work))

describe.runIf(needs('root', 'umoci', 'python3'))("beside Debian's umoci", () => {
  test.each(Object.entries(FLAGS))('unpack makes the same bundle of %s', (_name, flags) => {
    const { ours, theirs } = inBoth(`${work}/image`, (layout, program) => {
      said(program('unpack', ...flags, '--image', `${layout}:base`, `${layout}/../bundle`))
      return { bundle: `${layout}/../bundle`, files: readBundle(`${layout}/../bundle`) }
    })
    expect(ours.files).toEqual(theirs.files)
    expect(compareTrees(`${ours.bundle}/rootfs`, `${theirs.bundle}/rootfs`)).toEqual([])
  })

  test.each(Object.entries(FLAGS))('raw unpack makes the same tree of %s', (_name, flags) => {
    const { ours, theirs } = inBoth(`${work}/image`, (layout, program) => {
      const rootfs = `${layout}/../rootfs`
      said(program('raw', 'unpack', ...flags, '--image', `${layout}:base`, rootfs))
      return rootfs
    })
    expect(compareTrees(ours, theirs)).toEqual([])
  })

  test.each(['alone', 'rootfs'])('raw runtime-config writes the same: %s', (kind) => {
    for (const maps of [[], MAPS]) {
      const { ours, theirs } = inBoth(`${work}/image`, (layout, program) => {
        const [image, directory] = [['--image', `${layout}:base`], `${layout}/..`]
        const rootfs = kind === 'alone' ? [] : ['--rootfs', `${directory}/rootfs`]
        if (kind === 'rootfs') program('raw', 'unpack', ...maps, ...image, `${directory}/rootfs`)
        const args = [...maps, ...rootfs, ...image, `${directory}/config.json`]
        said(program('raw', 'runtime-config', ...args))
        return runtimeConfig(`${directory}/config.json`)
      })
      expect(ours).toEqual(theirs)
    }
  })

  test.each([['--log=info'], ['--log', 'error'], ['--verbose'], ['-log=warn', '--verbose=false']])(
    'says nothing on stdout however much it logs: %s %s',
    (...flags) => {
      const { ours, theirs } = inBoth(`${work}/image`, (layout, program) =>
        said(program(...flags, 'unpack', '--image', `${layout}:base`, `${layout}/../bundle`))
      )
      expect(ours).toEqual(theirs)
    }
  )

  test.each([
    [['unpack']],
    [['unpack', '--image=L:base']],
    [['unpack', '--image=L:base', 'B', 'more']],
    [['unpack', '--image=L:nope', 'B']],
    [['unpack', '--image=L:base', '--uid-map=x', 'B']],
    [['unpack', '--image=L:base', '--keep-dirlinks=maybe', 'B']],
    [['unpack', '--image=L:base', 'L/index.json']],
    [['raw', 'unpack', '--image=L:base']],
    [['raw', 'unpack', '--image=L:nope', 'B']],
    [['raw', 'unpack', '--image=L:base', '--gid-map=1:2:3:4', 'B']]
  ])('both refuse %j, and leave nothing', (args) => {
    const { ours, theirs } = inBoth(`${work}/image`, (layout, program: Program) => {
      const before = [...contents(layout), ...readdirSync(`${layout}/..`)]
      const placed = args.map((arg) => {
        return arg.replace('L', layout).replace(/^B$/, `${layout}/../bundle`)
      })
      const { status } = program(...placed)
      expect([...contents(layout), ...readdirSync(`${layout}/..`)]).toEqual(before)
      return status
    })
    expect(ours).toBe(theirs)
    expect(ours).not.toBe(0)
  })
})

/** What a run that must succeed prints. */
function said(result: Run): string {
  return expectOk(result, 'the command').stdout
}

/** Names and documents of a bundle; the manifest without its comments, which tell of user, machine and date. */
function readBundle(bundle: string): object {
  const names = readdirSync(bundle).sort()
  const manifest = names.find((name) => name.endsWith('.mtree'))!
  const lines = readFileSync(`${bundle}/${manifest}`, 'utf8').split('\n')
  return {
    names: names.filter((name) => !name.endsWith('.fingerprints')),
    config: runtimeConfig(`${bundle}/config.json`),
    // umoci ignores where the image was
    metadata: { whiteout_mode: 0, ...(json(`${bundle}/umoci.json`) as object), image_source: '' },
    manifest: lines.filter((line) => !line.startsWith('#'))
  }
}

interface Spec {
  ociVersion: string
  annotations: Record<string, string>
  linux: { namespaces: { type: string }[] }
}

/** Without what docs/differences-from-umoci.md lists under the runtime configuration. */
function runtimeConfig(path: string): Spec {
  const { annotations, linux, ...spec } = json(path) as Spec
  const isSet = ([, value]: [string, string]): boolean => value !== ''
  const namespaces = linux.namespaces.filter(({ type }) => type !== 'cgroup')
  return {
    ...spec,
    ociVersion: '',
    annotations: Object.fromEntries(Object.entries(annotations).filter(isSet)),
    linux: { ...linux, namespaces }
  }
}

function json(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'))
}
