/** The commands for bundles that exist, on the command line. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import * as fs from 'node:fs'
import { compareTrees } from '../support/compare-trees.ts'
import { buildImage } from '../support/image-builder.ts'
import { needs } from '../support/requires.ts'
import { ok } from '../support/run.ts'
import { directory, file, hardlink, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { unpackFlags } from '../support/whoever.ts'
import { ociUnpack, ociUnpackOk } from './cli.ts'

let work: string
let image: string
beforeEach(() => {
  work = makeTemporary()
  const layer = tar(directory('d/'), file('d/f', 'content', { uid: 5 }), hardlink('d/g', 'd/f'))
  image = buildImage(`${work}/layout`, { layers: [layer], tag: 't' }).reference
})
afterEach(() => removeTemporary(work))

test('bundle save makes an archive that is unpacked to the same tree', () => {
  ociUnpackOk('unpack', ...unpackFlags, '--image', image, `${work}/bundle`)
  fs.writeFileSync(`${work}/bundle/rootfs/new`, 'new')
  const archive = `tar:${work}/saved.tar.gz`
  expect(ociUnpackOk('bundle', 'save', '--jobs=1', `${work}/bundle`, archive)).toMatchObject({
    stdout: '',
    stderr: ''
  })
  ociUnpackOk('unpack', ...unpackFlags, '--image', archive, `${work}/restored`)
  expect(compareTrees(`${work}/bundle/rootfs`, `${work}/restored/rootfs`)).toEqual([])
  const again = ociUnpack('bundle', 'save', `${work}/bundle`, archive)
  expect(again).toMatchObject({ status: 1 })
  expect(again.stderr).toContain('ARCHIVE_EXISTS')
})

test.runIf(needs('root', 'umoci'))('bundle save packs a bundle of umoci for GNU tar', () => {
  const maps = ['--uid-map=0:1000:10', '--gid-map=0:1000:10']
  ok('umoci', 'unpack', ...maps, '--image', image, `${work}/bundle`)
  ok('umoci', 'raw', 'unpack', '--image', image, `${work}/expected`)
  ociUnpackOk('bundle', 'save', `${work}/bundle`, `tar:${work}/saved.tar`)
  fs.mkdirSync(`${work}/restored`)
  ok('tar', '-x', '-p', '--numeric-owner', '-f', `${work}/saved.tar`, '-C', `${work}/restored`)
  expect(compareTrees(`${work}/expected`, `${work}/restored`, ['.:mtime,mode'])).toEqual([])
})
