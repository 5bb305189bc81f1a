/** Bundles that one program made and the other repacks, with and without id maps. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { compareTrees } from '../support/compare-trees.ts'
import { buildImage } from '../support/image-builder.ts'
import { needs } from '../support/requires.ts'
import { ok } from '../support/run.ts'
import { char, directory, fifo, file, hardlink, symlink, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { ociUnpack, ociUnpackCommand, ociUnpackOk } from './cli.ts'

const LAYER = tar(
  directory('d/', { uid: 5, gid: 6 }),
  file('d/f', 'content', { uid: 5 }),
  hardlink('d/h', 'd/f'),
  file('d/gone', 'x'),
  directory('tree/'),
  file('tree/a', 'a', { gid: 7 }),
  symlink('l', 'd'),
  char('c', 1, 3),
  fifo('p')
)

/** umoci keeps whole seconds, so there are no others. */
const EDITS = `
cd "$0"
echo more >>d/f; rm d/gone; mv tree wood; ln d/f wood/f; ln -sfn wood l
mkfifo q; mknod e c 4 5
find . -uid 0 -exec chown -h "$1" {} +; find . -gid 0 -exec chgrp -h "$2" {} +; chmod 4750 wood/a
setfattr -n user.x -v y wood/a
find . -newermt 2020-01-01 -exec touch -h -d @1600000000 {} +`

const MAPS = ['--uid-map=0:1000:100', '--gid-map=0:2000:100']

describe.runIf(needs('root', 'umoci', 'python3', 'setfattr'))('a bundle', () => {
  let work: string
  let layout: string
  beforeEach(() => {
    work = makeTemporary()
    layout = buildImage(`${work}/layout`, { layers: [LAYER] }).layout
  })
  afterEach(() => removeTemporary(work))

  const programs: Record<string, (...args: string[]) => void> = {
    umoci: (...args) => void ok('umoci', ...args),
    'oci-unpack': (...args) => void ok(...ociUnpackCommand, ...args)
  }

  test.each([
    ['umoci', 'oci-unpack'],
    ['oci-unpack', 'umoci'],
    ['oci-unpack', 'oci-unpack']
  ])('of %s is repacked by %s', (maker, packer) => {
    for (const maps of [[], MAPS]) {
      const bundle = `${work}/bundle-${maps.length}`
      programs[maker]!('unpack', ...maps, '--image', `${layout}:latest`, bundle)
      ok(
        'sh',
        '-euc',
        EDITS,
        `${bundle}/rootfs`,
        ...(maps.length === 0 ? ['0', '0'] : ['1000', '2000'])
      )
      programs[packer]!('repack', '--image', `${layout}:new`, bundle)
      for (const judge of ['umoci', 'oci-unpack']) {
        const out = `${work}/out-${maps.length}-${judge}`
        programs[judge]!('unpack', ...maps, '--image', `${layout}:new`, out)
        expect(compareTrees(`${bundle}/rootfs`, `${out}/rootfs`)).toEqual([])
      }
    }
  })

  test.each(['umoci', 'oci-unpack'])(
    'of %s can be refreshed by the other again and again',
    (maker) => {
      const bundle = `${work}/bundle`
      programs[maker]!('unpack', '--image', `${layout}:latest`, bundle)
      const rounds = ['umoci', 'oci-unpack', 'oci-unpack', 'umoci']
      rounds.forEach((packer, round) => {
        ok(
          'sh',
          '-euc',
          `echo ${round} >"$0/round"; echo new >"$0/new-${round}"; touch -d @1600000000 "$0" "$0"/*`,
          `${bundle}/rootfs`
        )
        programs[packer]!('repack', '--refresh-bundle', '--image', `${layout}:new`, bundle)
      })
      ociUnpackOk('unpack', '--image', `${layout}:new`, `${work}/out`)
      expect(compareTrees(`${bundle}/rootfs`, `${work}/out/rootfs`)).toEqual([])
    }
  )

  test('with an owner that its maps do not know is refused, and says which file', () => {
    const bundle = `${work}/bundle`
    ociUnpackOk('unpack', ...MAPS, '--image', `${layout}:latest`, bundle)
    ok('chown', '5', `${bundle}/rootfs/d/f`)
    const { status, stderr } = ociUnpack('repack', '--image', `${layout}:new`, bundle)
    expect(stderr).toContain('ID_NOT_MAPPED')
    expect(stderr).toContain('d/f')
    expect(status).toBe(1)
  })
})
