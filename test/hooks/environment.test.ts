import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { digest, imageContext, layerContext } from './contexts.ts'
import { hooksToml, load } from './support.ts'
import { ownerDirectory } from '../../src/hooks/lock-directory.ts'
import type { HookPoint } from '../../src/hooks/points.ts'
import type { ContextOf } from '../../src/hooks/calls.ts'

let directory: string

beforeEach(() => {
  directory = makeTemporary()
})

afterEach(() => removeTemporary(directory))

const OURS = {
  PATH: '/usr/bin:/bin',
  HOME: '/root',
  LANG: 'C.UTF-8',
  TMPDIR: '/var/tmp',
  XDG_RUNTIME_DIR: '/run/user/0',
  SOURCE_DATE_EPOCH: '0',
  LD_PRELOAD: '/evil.so',
  BASH_ENV: '/evil',
  NODE_OPTIONS: '--inspect',
  OCI_UNPACK_HOOKS: '/evil.toml',
  OCI_UNPACK_TARGET: '/evil'
}

/** The environment that a program has, sorted. */
async function environmentAt<P extends HookPoint>(
  point: P,
  context: ContextOf<P>
): Promise<string[]> {
  const script = '/usr/bin/env -0 > env'
  const points = [
    'try-skip',
    'pre-extract',
    'post-extract',
    'finish',
    'abort',
    'delta-list',
    'gc'
  ] as const
  const text = `${hooksToml(['/bin/sh', '-c', `${script}; echo /x`], '', points)}\n[env]\nSTORE = "/srv"\nLANG = "C"\n`
  await load(directory, text, undefined, OURS)
    .call(point, context)
    .catch(() => undefined)
  const variables = readFileSync(join(directory, 'env'), 'utf8').split('\0').filter(Boolean)
  // The shell's own.
  return variables
    .filter((variable) => !/^(PWD|OLDPWD|_|SHLVL)=/.test(variable))
    .map((variable) => variable.replace(/^(OCI_UNPACK_OWNER=\/.*\/owner-)[0-9a-f]+$/, '$1*'))
    .sort()
}

const BASE = [
  'HOME=/root',
  'LANG=C',
  'PATH=/usr/bin:/bin',
  'SOURCE_DATE_EPOCH=0',
  'STORE=/srv',
  'TMPDIR=/var/tmp',
  'XDG_RUNTIME_DIR=/run/user/0',
  'OCI_UNPACK_PROTOCOL=1',
  `OCI_UNPACK_OWNER=${ownerDirectory()}/owner-*`
]

const IMAGE = [
  'OCI_UNPACK_BUNDLE=/bundle',
  `OCI_UNPACK_CONFIG_DIGEST=${digest('b')}`,
  'OCI_UNPACK_GID_MAP=0:100000:65536',
  'OCI_UNPACK_LAYER_COUNT=1',
  'OCI_UNPACK_LAYOUT=/images/debian',
  `OCI_UNPACK_MANIFEST_DIGEST=${digest('a')}`,
  'OCI_UNPACK_PLATFORM=linux/amd64',
  'OCI_UNPACK_REFERENCE=debian',
  'OCI_UNPACK_ROOTFS=/bundle/rootfs',
  'OCI_UNPACK_ROOTLESS=0',
  'OCI_UNPACK_STATE=/bundle/.oci-unpack',
  'OCI_UNPACK_UID_MAP='
]

const LAYER = [
  `OCI_UNPACK_CHAIN_ID=${digest('e')}`,
  `OCI_UNPACK_DIFF_ID=${digest('d')}`,
  `OCI_UNPACK_KEY=${digest('e')}`,
  `OCI_UNPACK_LAYER_DIGEST=${digest('c')}`,
  'OCI_UNPACK_LAYER_INDEX=0',
  'OCI_UNPACK_LAYER_MEDIATYPE=application/vnd.oci.image.layer.v1.tar+gzip',
  'OCI_UNPACK_LAYER_SIZE=1234',
  'OCI_UNPACK_PARENT_CHAIN_ID='
]

test('of a layer’s hook is what it needs, the [env] of its file, and little of ours', async () => {
  expect(await environmentAt('pre-extract', layerContext('debian'))).toEqual(
    [...BASE, ...IMAGE, ...LAYER, 'OCI_UNPACK_HOOK=unpack.ociv1.layer.pre-extract'].sort()
  )
})

test('of post-extract has the staged directory, and the chain ID below', async () => {
  const context = { ...layerContext('debian'), target: '/srv/tmp', parentChainId: digest('f') }
  const found = await environmentAt('post-extract', context)
  expect(found).toContain('OCI_UNPACK_TARGET=/srv/tmp')
  expect(found).toContain(`OCI_UNPACK_PARENT_CHAIN_ID=${digest('f')}`)
})

test('of finish has all directories, base layer first', async () => {
  const layer = layerContext('debian')
  const layers = ['/srv/1', '/srv/2'].map((target) => ({ ...layer, target }))
  const found = await environmentAt('finish', { ...imageContext('debian'), layers })
  expect(found).toEqual(
    [
      ...BASE,
      ...IMAGE,
      'OCI_UNPACK_HOOK=unpack.ociv1.finish',
      'OCI_UNPACK_LAYER_TARGETS=/srv/1\n/srv/2'
    ].sort()
  )
})

test.each([
  [true, '1'],
  [false, '0']
])('of delta-list says whether a refresh follows: %s', async (refresh, told) => {
  const found = await environmentAt('delta-list', { ...imageContext('debian'), refresh })
  expect(found).toEqual(
    [
      ...BASE,
      ...IMAGE,
      'OCI_UNPACK_HOOK=repack.ociv1.layer.delta-list',
      `OCI_UNPACK_REFRESH=${told}`
    ].sort()
  )
})

test('of abort and gc has their lists', async () => {
  const targets = ['/srv/tmp/1', '/srv/tmp/2']
  expect(await environmentAt('abort', { ...imageContext('debian'), targets })).toContain(
    'OCI_UNPACK_TARGETS=/srv/tmp/1\n/srv/tmp/2'
  )
  const liveKeys = [digest('1'), digest('2')]
  expect(await environmentAt('gc', { liveKeys })).toEqual(
    [
      ...BASE,
      'OCI_UNPACK_HOOK=store.gc',
      `OCI_UNPACK_LIVE_KEYS=${digest('1')}\n${digest('2')}`
    ].sort()
  )
})
