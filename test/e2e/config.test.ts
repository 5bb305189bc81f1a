/** `config` beside Debian's umoci: the same flags on two copies of one layout must leave the same documents. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { REGISTRY_FLAGS } from '../../src/cli/registry-flags.ts'
import { configCommand } from '../../src/cli/commands/config.ts'
import { buildImage } from '../support/image-builder.ts'
import { needs } from '../support/requires.ts'
import { run } from '../support/run.ts'
import { file, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { contents, documents, inBoth } from './both-programs.ts'
import { ociUnpack } from './cli.ts'

const HISTORY = ['--history.created=2026-01-02T03:04:05Z', '--history.created_by=test']

/** Each runs on an image that has every field; HISTORY is added unless it has its own. */
const CHANGES: Readonly<Record<string, readonly string[]>> = {
  nothing: [],
  'what has one value': [
    '--author',
    'B <b@example.com>',
    '--created=2001-02-03T04:05:06.700-08:00',
    '-architecture',
    's390x',
    '--os=freebsd',
    '--config.user',
    '1000:staff',
    '--config.workingdir',
    'w/../x',
    '--config.stopsignal=SIGKILL'
  ],
  'user, the last of two': ['--config.user=a', '-config.user=b'],
  ports: ['--config.exposedports=53/udp', '--config.exposedports=80/tcp'],
  variables: ['--config.env=B==', '--config.env', 'A=4', '--config.env=C=', '--config.env=A=5'],
  'a variable with commas': ['--config.env=PATH=/a,/b'],
  entrypoint: ['--config.entrypoint=/bin/sh', '--config.entrypoint', '-eu'],
  cmd: ['--config.cmd', '-c', '--config.cmd', '--config.cmd', '--config.cmd=a b,c'],
  'cmd, one empty argument': ['--config.cmd='],
  volume: ['--config.volume=/x', '--config.volume', '/v'],
  label: [
    '--config.label=l=<&>',
    '--config.label',
    'n=a=b',
    '--config.label=é=\u2028',
    '--config.label=e='
  ],
  annotation: [
    '--manifest.annotation=a=2',
    '--manifest.annotation',
    'z==',
    '--manifest.annotation=e='
  ],
  'empty texts': ['--author=', '--config.user=', '--config.workingdir=', '--config.stopsignal', ''],
  'clearing, each': CLEARED().flatMap((key) => ['--clear', key]),
  'clearing before setting': [
    '--config.env=Z=1',
    '--config.label=z=1',
    '--config.volume=/z',
    '--manifest.annotation=z=1',
    '--config.cmd=z',
    '--clear=config.env',
    ...CLEARED().map((key) => `--clear=${key}`)
  ],
  'no history': ['--no-history', '--author=C'],
  'history without a change': [...HISTORY, '--history.author=H', '--history.comment', '-c-'],
  'history of no author': [...HISTORY, '--author=D', '--history.author=', '--history.comment='],
  'history that is on': ['--no-history=false', ...HISTORY],
  'history of another zone': [
    '--history.created=2026-01-02T03:04:05.060+05:30',
    '--history.created_by='
  ]
}

function CLEARED(): string[] {
  return [
    'config.labels',
    'config.exposedports',
    'config.env',
    'config.volume',
    'config.cmd',
    'config.entrypoint',
    'manifest.annotations'
  ]
}

const MISTAKES: readonly (readonly string[])[] = [
  ['config'],
  ['config', '--image'],
  ['config', '--image', ''],
  ['config', '--image=L:'],
  ['config', '--image=L:nope'],
  ['config', '--image=nowhere:full'],
  ['config', '--image=L:a b'],
  ['config', '--image=L:full', '--tag', ''],
  ['config', '--image=L:full', '--tag=a..b'],
  ['config', '--image=L:full', 'extra'],
  ['config', '--image=L:full', '--', 'extra'],
  ['config', '--image=L:full', '--nope'],
  ['config', '--image=L:full', '--no-history=maybe'],
  ['config', '--image=L:full', '--no-history', '--history.comment=x'],
  ['config', '--image=L:full', '--history.created=yesterday'],
  ['config', '--image=L:full', '--created='],
  ['config', '--image=L:full', '--created=2026-02-30T00:00:00Z'],
  ['config', '--image=L:full', '--config.env=A'],
  ['config', '--image=L:full', '--config.env==x'],
  ['config', '--image=L:full', '--config.label=A'],
  ['config', '--image=L:full', '--config.label==x'],
  ['config', '--image=L:full', '--clear='],
  ['config', '--image=L:full', '--clear=config.volumes'],
  ['config', '--image=L:full', '--clear=rootfs.diffids'],
  ['config', '--image=L:full', '--config.user'],
  ['raw', 'runtime-config'],
  ['raw', 'runtime-config', '--image=L:full'],
  ['raw', 'runtime-config', '--image=L:full', ''],
  ['raw', 'runtime-config', '--image=L:full', 'a', 'b'],
  ['raw', 'runtime-config', '--image=L:nope', 'a'],
  ['raw', 'runtime-config', '--image=L:full', '--uid-map=x', 'a'],
  ['raw', 'config', '--image=L:full'],
  ['raw', 'nope'],
  ['nope'],
  ['--nope'],
  ['-x', 'config', '--image=L:full'],
  ['--log=loud', 'config', '--image=L:full'],
  ['--log', '', 'config', '--image=L:full'],
  ['--verbose', '--log=info', 'config', '--image=L:full'],
  ['--verbose=maybe', 'config', '--image=L:full']
]

/** What umoci 0.4.7 has no flag for. */
const OURS = ['platform', 'platform.os.version', 'platform.variant']

let work = ''
beforeAll(() => {
  work = makeTemporary()
  const layers = [tar(file('x', 'x'))]
  const rich = {
    ...{ author: 'A', created: '2026-01-01T00:00:00.5Z', config: FULL },
    history: [{ created: '2026-01-01T00:00:00Z', created_by: 'x' }]
  }
  buildImage(`${work}/full`, {
    layers,
    tag: 'full',
    config: rich,
    manifest: { annotations: { a: '1' } }
  })
  buildImage(`${work}/bare`, { layers, tag: 'bare' })
})
afterAll(() => removeTemporary(work))

const FULL = {
  User: 'u',
  ExposedPorts: { '80/tcp': {} },
  Env: ['A=1', 'B=2'],
  Entrypoint: ['/e'],
  Cmd: ['c'],
  Volumes: { '/v': {} },
  WorkingDir: '/w',
  Labels: { l: '1', m: '2' },
  StopSignal: 'SIGINT'
}

describe.runIf(needs('umoci'))("beside Debian's umoci", () => {
  test.each(Object.entries(CHANGES))('config makes the same of %s', (_name, flags) => {
    sameOf('full', flags)
  })

  test('config makes the same of an image that has no fields yet', () => {
    const names = Object.keys(CHANGES).filter((name) => !/histor|clear|empty|two/.test(name))
    sameOf(
      'bare',
      names.flatMap((name) => CHANGES[name]!)
    )
    sameOf('bare', CHANGES['clearing before setting']!)
  })

  test('config replaces the tag itself, which goes to the end', () => {
    const { ours, theirs } = inBoth(`${work}/full`, (layout, program) => {
      program('config', '--image', `${layout}:full`, '--tag', 'other', ...HISTORY)
      program('config', '--image', `${layout}:full`, '--author=E', ...HISTORY)
      return documents(layout, 'full')
    })
    expect(ours).toEqual(theirs)
    expect(ours.index.manifests).toHaveLength(2)
  })

  test('every flag is compared', () => {
    const used = Object.values(CHANGES).flat()
    const isUsed = (name: string): boolean =>
      used.some((arg) => arg.replace(/^--?/, '').split('=')[0] === name)
    const missing = configCommand.flags.filter(({ name }) => !isUsed(name)).map(({ name }) => name)
    const ofRegistries = REGISTRY_FLAGS.map(({ name }) => name)
    expect(missing.toSorted()).toEqual(['image', 'tag', ...OURS, ...ofRegistries].toSorted())
  })

  test.each(MISTAKES.map((args) => ({ args, line: args.join(' ') })))(
    'both refuse $line, and change nothing',
    ({ args }) => {
      const { ours, theirs } = inBoth(`${work}/full`, (layout, program) => {
        const before = contents(layout)
        const { status, stderr } = program(...args.map((arg) => arg.replace('=L:', `=${layout}:`)))
        expect(stderr).not.toBe('')
        expect(contents(layout)).toEqual(before)
        return status
      })
      expect(ours).toBe(theirs)
      expect(ours).not.toBe(0)
    }
  )

  test.each([
    [],
    ['raw'],
    ['help'],
    ['help', 'config'],
    ['config', '-h'],
    ['raw', 'config', '--help'],
    ['-v']
  ])('both explain themselves: %s %s', (...args) => {
    for (const { status, stdout } of [ociUnpack(...args), run('umoci', ...args)]) {
      expect(status).toBe(0)
      expect(stdout).not.toBe('')
    }
  })
})

function sameOf(image: string, flags: readonly string[]): void {
  const history = flags.some((flag) => flag.includes('history')) ? [] : HISTORY
  const { ours, theirs } = inBoth(`${work}/${image}`, (layout, program) => {
    const reference = ['--image', `${layout}:${image}`]
    const { status, stderr } = program('config', ...reference, '--tag=new', ...flags, ...history)
    expect(stderr).toBe('')
    return { status, ...documents(layout, 'new') }
  })
  expect(ours).toEqual(theirs)
  expect(ours.status).toBe(0)
}
