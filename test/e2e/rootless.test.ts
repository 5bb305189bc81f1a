/** Bundles of those who work without root's privileges: nothing of the image gets lost on the way there and back. */
import { readdirSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeUser, removeUser, USER_TOOLS, type OrdinaryUser } from '../support/ordinary-user.ts'
import { needs } from '../support/requires.ts'
import { ok } from '../support/run.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { diffIds, layerEntries } from './layer-entries.ts'
import { buildRareImage, CHANGES, MODE_CHANGES, REPLACEMENTS, HIDDEN } from './rootless-image.ts'
import { PLAIN_ROOT, WayBox, WAYS } from './rootless-ways.ts'

const LAYERS = 3

describe.runIf(needs(...USER_TOOLS, 'setfattr'))('a bundle that was made by', () => {
  let work = ''
  let user: OrdinaryUser
  let byRoot: WayBox

  beforeAll(() => {
    work = makeTemporary()
    user = makeUser()
    buildRareImage(`${work}/image`, HIDDEN)
    byRoot = unpacked(PLAIN_ROOT)
    repackCopy(byRoot)
    for (const [tag, script] of EDITS) editAndRepack(byRoot, tag, script)
  })
  afterAll(() => {
    byRoot.remove()
    removeUser(user)
    removeTemporary(work)
  })

  describe.each(WAYS)('$name', (way) => {
    let box: WayBox
    beforeAll(() => {
      box = unpacked(way)
    })
    afterAll(() => box.remove())

    test('gives no layer if nothing was changed', () => {
      expect(box.runOk('diff', box.bundle).stdout).toBe('')
      box.runOk('repack', '--image', `${box.layout}:untouched`, box.bundle)
      expect(layerEntries(box.layout, 'untouched', LAYERS)).toEqual([])
    })

    test('gives the same layers if it was copied before', () => {
      repackCopy(box)
      expect(layerEntries(box.layout, 'copy', LAYERS)).toEqual([])
      const roots = layerEntries(byRoot.layout, 'edited-copy', LAYERS)
      expect(layerEntries(box.layout, 'edited-copy', LAYERS)).toEqual(roots)
    })

    test.each(EDITS)('gives the layer that root makes of the same edit: %s', (tag, script) => {
      editAndRepack(box, tag, script)
      expect(layerEntries(box.layout, tag, LAYERS)).toEqual(
        layerEntries(byRoot.layout, tag, LAYERS)
      )
      expect(diffIds(box.layout, tag)).toEqual(diffIds(byRoot.layout, tag))
      expect(box.runOk('diff', box.bundle).stdout).toBe('')
    })

    test('leaves nothing when it is deleted', () => {
      box.runOk('bundle', 'delete', box.bundle)
      expect(readdirSync(box.directory)).toEqual(['layout'])
    })
  })

  function unpacked(way: (typeof WAYS)[number]): WayBox {
    const box = new WayBox(way, user, `${work}/image`)
    box.unpack('latest')
    return box
  }
})

const EDITS = [
  ['changed', CHANGES],
  ['replaced', REPLACEMENTS]
] as const

function editAndRepack(box: WayBox, tag: string, script: string): void {
  box.edit(`${box.bundle}/rootfs`, script)
  box.runOk('repack', '--refresh-bundle', '--image', `${box.layout}:${tag}`, box.bundle)
}

function repackCopy(box: WayBox): void {
  const place = makeTemporary()
  const copy = `${place}/bundle`
  ok('chmod', '755', place)
  ok('cp', '-a', box.bundle, copy)
  box.runOk('repack', '--image', `${box.layout}:copy`, copy)
  box.edit(`${copy}/rootfs`, MODE_CHANGES)
  box.runOk('repack', '--image', `${box.layout}:edited-copy`, copy)
  removeTemporary(place)
}
