/** umoci's own regression test for its archives, with our repack: the same layer and the same config, byte for byte. */
import { statSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { digestOf } from '../../src/image/digest.ts'
import { rewriteImage } from '../../src/image/rewrite.ts'
import { configBytes } from '../../src/image/serialise.ts'
import { openLayout } from '../../src/store/layout.ts'
import { resolveImage } from '../../src/store/resolve.ts'
import { buildImage } from '../support/image-builder.ts'
import { needs } from '../support/requires.ts'
import { ok } from '../support/run.ts'
import { withTemporary } from '../support/temporary.ts'
import { ociUnpackOk } from './cli.ts'

const TIME = '1997-03-25T13:40:00+01:00'
const DIFF_ID = 'sha256:b30a031a2b1c4616735cf8dd5d08ddebcbbff91e1d6b9fc740a2fec18af57b27'

const RECIPE = `
umask 022; cd "$0"
mkdir -p usr/bin etc var/run
mkfifo -m 0644 var/run/test.fifo
printf '#!/usr/bin/true\\n' >usr/bin/bash
chmod 0755 usr/bin/bash
ln usr/bin/bash usr/bin/sh
ln usr/bin/bash usr/bin/ash
ln -s /usr/bin bin
ln -s /var/run run
find . -exec touch -h -d ${TIME} {} +
chmod 000 var
`

describe.runIf(needs('root', 'umoci'))("umoci's regression recipe", () => {
  test('gives exactly its layer, and its config after the second step', () => {
    withTemporary((work) => {
      const layout = repackRecipe(work, '--compress=none')
      const blob = `${layout}/blobs/${DIFF_ID.replace(':', '/')}`
      expect(statSync(blob).size).toBe(7680)
      const image = resolveImage(openLayout(layout), 'latest', undefined)
      expect(image.config.rootfs.diff_ids).toEqual([DIFF_ID])
      const { config } = rewriteImage(
        { ...image, indexes: [] },
        {
          history: { created: TIME, created_by: 'umoci config' },
          config: (old) => ({
            ...old,
            created: TIME,
            architecture: 'amd64',
            os: 'linux',
            config: { ...old.config, User: '1000:100', Cmd: ['/bin/sh'] }
          })
        }
      )
      const bytes = configBytes(config)
      expect(bytes.length).toBe(404)
      expect(digestOf(bytes)).toBe(
        'sha256:f4a39a97d97aa834da7ad2d92940f9636a57e3d9b3cc7c53242451b02a6cea89'
      )
    })
  })

  test.each(['--compress=gzip', '--compress=zstd', '--time-precision=seconds'])(
    'gives the same diff id with %s',
    (option) => {
      withTemporary((work) => {
        const layout = repackRecipe(work, option)
        const { config } = resolveImage(openLayout(layout), 'latest', undefined)
        expect(config.rootfs.diff_ids).toEqual([DIFF_ID])
      })
    }
  )
})

describe.runIf(needs('root', 'umoci', 'setfattr'))('a repack to the second', () => {
  const TREES: Readonly<Record<string, string>> = {
    'names of all lengths and bytes': `
      mkdir -p "$(printf 'deep/%.0s' $(seq 60))"; touch "$(printf 'deep/%.0s' $(seq 60))end"
      for i in 98 99 100 101 155 255; do touch "$(printf 'n%.0s' $(seq $i))"; done
      touch "$(printf 'l\\344tin')" 'new
line' ünï; ln -s "$(printf 'x%.0s' $(seq 150))" long-link; ln -s "$(printf '\\377')" byte-link`,
    'owners, modes and special files': `
      echo a >a; chmod 4755 a; chown 4294967294:3000000 a; mkdir -m 1777 t; mkdir -m 2770 g; mkfifo p
      mknod c c 1 3; mknod b b 259 65536; chown -h 5:6 p`,
    'attributes and links': `
      echo a >a; ln a b; mkdir e; ln a e/c; ln -s a k; ln k m; setfattr -n user.x -v 0x00ff0a3d a
      setfattr -n trusted.y -v y e; setfattr -h -n trusted.z -v z k`,
    'times before 1970 and beyond ustar': `
      touch old new; touch -d '1950-01-01 UTC' old; touch -d @9000000000 new; echo x >x; touch -d @0 x`,
    'changes of every kind': `
      rm -r gone; rm f; mkdir f; touch f/in; rmdir empty; ln -s f empty; rm l; mkdir l; echo more >>kept; chmod 600 mode; mv from to`
  }
  const BASE = `
    mkdir -p gone/sub from empty; touch gone/sub/x f kept mode from/z; ln kept kept-2; ln -s f l
    find . -exec touch -h -d @1500000000 {} +`
  /** umoci 0.4.7 rounds times where later versions and we cut them. */
  const WHOLE_SECONDS =
    'find . -newermt 2020-01-01 ! -newermt 2100-01-01 -exec touch -h -d @1600000000 {} +'

  test.each(Object.keys(TREES))('has the diff id of umoci: %s', (name) => {
    withTemporary((work) => {
      const { layout, reference } = buildImage(`${work}/layout`, { layers: [] })
      const bundle = `${work}/bundle`
      ok('umoci', 'unpack', '--image', reference, bundle)
      ok('sh', '-euc', `cd $0/rootfs; ${BASE}`, bundle)
      ok('umoci', 'repack', '--refresh-bundle', '--image', `${layout}:base`, bundle)
      ok('sh', '-euc', `cd $0/rootfs; ${TREES[name]!}\n${WHOLE_SECONDS}`, bundle)
      ok('umoci', 'repack', '--image', `${layout}:theirs`, bundle)
      const options = ['--time-precision=seconds', '--image', `${layout}:ours`]
      ociUnpackOk('repack', ...options, bundle)
      expect(diffIds(layout, 'ours')).toEqual(diffIds(layout, 'theirs'))
    })
  })
})

/** The layout that the recipe's first step ends with. */
function repackRecipe(work: string, ...options: string[]): string {
  const { layout, reference } = buildImage(`${work}/layout`, { layers: [] })
  ociUnpackOk('unpack', '--image', reference, `${work}/bundle`)
  ok('sh', '-euc', RECIPE, `${work}/bundle/rootfs`)
  const history = [`--history.created=${TIME}`, '--history.created_by=umoci repack']
  ociUnpackOk('repack', ...history, ...options, '--image', reference, `${work}/bundle`)
  return layout
}

function diffIds(layout: string, tag: string): readonly string[] {
  return resolveImage(openLayout(layout), tag, undefined).config.rootfs.diff_ids
}
