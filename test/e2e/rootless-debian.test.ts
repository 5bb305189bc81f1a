/** The real Debian image in the hands of those who work without root's privileges. */
import { readdirSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compareTrees } from '../support/compare-trees.ts'
import { makeUser, removeUser, USER_TOOLS, type OrdinaryUser } from '../support/ordinary-user.ts'
import { longTests, needs } from '../support/requires.ts'
import { ok } from '../support/run.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { ociUnpackOk } from './cli.ts'
import { cachedLayout, DEBIAN_NEEDS, debianLayout } from './debian-image.ts'
import { diffIds } from './layer-entries.ts'
import { PLAIN_ROOT, WayBox, WAYS, type Way } from './rootless-ways.ts'

/** As somebody who builds an image does: files of packages go, change and come. */
const EDIT = `
  rm -r usr/share/doc usr/bin/tail; rm -f etc/motd
  echo Welcome >etc/motd; echo 12 >>etc/debian_version; chmod 4711 usr/bin/env-suid
  chmod 711 usr/bin/id-cap; chmod 600 srv/odds/char srv/odds/fifo; mv srv/odds/dir srv/odds/moved; ln -sf id usr/bin/awk
  mkdir -p opt/app/bin; echo '#!/bin/sh' >opt/app/bin/run; chmod 755 opt/app/bin/run; own opt/app/bin/run 33 34 0x08211022
  touch -h -d @1600000000 srv/odds/dangling
  find etc/motd etc/debian_version usr/bin/env-suid usr/bin/id-cap usr/bin/awk srv/odds/char srv/odds/fifo opt/app opt etc usr/bin usr/share srv/odds \\
    -prune -exec touch -h -d @1600000000 {} +
  find opt/app -exec touch -h -d @1600000000 {} +`

const SIZES: readonly ('small' | 'large')[] = longTests() ? ['small', 'large'] : ['small']

/** The small image has an owner that a namespace of 65,536 ids does not. All ways also go with rootless.test.ts. */
function waysOf(size: string): readonly Way[] {
  if (size === 'large') return WAYS.filter(({ name }) => name === 'a user with --userns')
  return WAYS.filter(({ name, owners }) =>
    longTests() ? owners === 'attribute' : name === 'a user with --rootless'
  )
}

describe.runIf(needs(...DEBIAN_NEEDS, ...USER_TOOLS))(
  'a real Debian image',
  { timeout: 600_000 },
  () => {
    let user: OrdinaryUser
    let work = ''
    beforeAll(() => {
      user = makeUser()
      work = makeTemporary()
    })
    afterAll(() => {
      removeUser(user)
      removeTemporary(work)
    })

    describe.each(SIZES)('(%s)', (size) => {
      let layout = ''
      let byRoot: WayBox
      beforeAll(() => {
        layout = cachedLayout(size)
        byRoot = new WayBox(PLAIN_ROOT, user, layout)
        byRoot.unpack('debian')
        editAndRepack(byRoot)
      }, 600_000)
      afterAll(() => byRoot.remove())

      test.each(waysOf(size))(
        'round-trips without a layer, and with an edit as by root: $name',
        (way) => {
          const box = new WayBox(way, user, layout)
          try {
            box.unpack('debian')
            expect(box.runOk('diff', box.bundle).stdout).toBe('')
            box.runOk('repack', '--image', `${box.layout}:untouched`, box.bundle)
            expect(diffIds(box.layout, 'untouched')).toEqual(diffIds(layout, 'debian'))
            editAndRepack(box)
            expect(treeDifferences(box, byRoot)).toEqual([])
            expect(diffIds(box.layout, 'edited')).toEqual(diffIds(byRoot.layout, 'edited'))
            box.runOk('bundle', 'delete', box.bundle)
          } finally {
            box.remove()
          }
        }
      )
    })

    test('has an owner that a namespace does not have, which is said', () => {
      const box = new WayBox(
        WAYS.find(({ globalFlags }) => globalFlags.length > 0)!,
        user,
        debianLayout()
      )
      const { status, stderr } = box.run('unpack', '--image', `${box.layout}:debian`, box.bundle)
      const left = readdirSync(box.directory)
      box.remove()
      expect(stderr).toMatch(/ID_NOT_MAPPED[^]*srv\/pax\/file[^]*--rootless/)
      expect({ status, left }).toEqual({ status: 1, left: ['layout'] })
    })

    /** What root unpacks from both, if the layers are not equal. */
    function treeDifferences(box: WayBox, byRoot: WayBox): string[] {
      const [ours, roots] = [box, byRoot].map(({ layout }) => diffIds(layout, 'edited').at(-1))
      if (ours === roots) return []
      const trees = [box, byRoot].map(({ layout }, at) => {
        ociUnpackOk('raw', 'unpack', '--image', `${layout}:edited`, `${work}/${at}`)
        return `${work}/${at}`
      })
      const differences = compareTrees(trees[0]!, trees[1]!)
      for (const tree of trees) ok('rm', '-rf', tree)
      return differences
    }
  }
)

function editAndRepack(box: WayBox): void {
  box.edit(`${box.bundle}/rootfs`, EDIT)
  box.runOk('repack', '--image', `${box.layout}:edited`, box.bundle)
}
