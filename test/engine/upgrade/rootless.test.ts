/** What the disk of a rootless bundle does not hold is carried over, too. */
import * as fs from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { repack } from '../../../src/index.ts'
import { readArchive, type ReadEntry } from '../../support/archive.ts'
import { char, directory, file, symlink } from '../../support/tar-builder.ts'
import { withUpgrade } from './bundles.ts'

const OLD = [
  directory('d/'),
  char('d/null', 1, 3),
  symlink('d/link', 'x', { uid: 7, gid: 8 }),
  file('d/owned', 'old', { uid: 7, gid: 8 })
]

test('devices and owners that are carried over are packed again', async () => {
  const upgraded = [...OLD, char('d/zero', 1, 5), file('d/new', 'new')]
  await withUpgrade(
    OLD,
    upgraded,
    async ({ rootfs, made, newImage, run }) => {
      fs.renameSync(`${rootfs}/d/null`, `${rootfs}/d/moved`)
      fs.renameSync(`${rootfs}/d/link`, `${rootfs}/d/other`)
      fs.writeFileSync(`${rootfs}/d/owned`, 'mine')
      await run()
      fs.renameSync(`${made}/rootfs/d/zero`, `${made}/rootfs/d/0`)
      const layout = newImage.slice(0, newImage.lastIndexOf(':'))
      const { layer } = await repack({ image: `${layout}:mine`, bundle: made, jobs: 1 })
      const blob = fs.readFileSync(`${layout}/blobs/${layer!.digest.replace(':', '/')}`)
      expect(readArchive(gunzipSync(blob)).map(describeEntry)).toEqual([
        'directory d/ 0:0',
        'char d/0 0:0 1,5',
        'file d/.wh.link 0:0',
        'char d/moved 0:0 1,3',
        'file d/.wh.null 0:0',
        'symlink d/other 7:8',
        'file d/owned 7:8',
        'file d/.wh.zero 0:0'
      ])
    },
    { rootless: true }
  )
})

function describeEntry({ entry }: ReadEntry): string {
  const { type, name, uid, gid, devMajor, devMinor } = entry
  return `${type} ${name} ${uid}:${gid}${type === 'char' ? ` ${devMajor},${devMinor}` : ''}`
}
