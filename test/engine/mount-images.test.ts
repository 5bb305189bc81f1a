/** What is mounted is what was compared, whatever has its name by then. */
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { mountImages } from '../../src/engine/erofs/mount-images.ts'
import { withImages } from '../../src/engine/erofs/open-images.ts'
import { openImageSet } from '../../src/engine/erofs/read-image-set.ts'
import { close } from '../../src/sys/files.ts'
import { handlePath } from '../../src/sys/handle-path.ts'
import { library } from '../support/dist.ts'
import { buildImage } from '../support/image-builder.ts'
import { needs } from '../support/requires.ts'
import { file, tar } from '../support/tar-builder.ts'
import { inScratch } from './support.ts'

test.runIf(needs('root', 'erofs', 'loop'))('the file that was opened, after it was removed', () =>
  inScratch(async (work) => {
    const { reference } = buildImage(`${work}/layout`, { layers: [tar(file('name', 'content'))] })
    const path = `${work}/images`
    await library.makeErofs({ image: reference, destination: path })
    const opened = openImageSet(path)
    try {
      withImages(opened, (images) => {
        rmSync(`${path}/merged.erofs`)
        writeFileSync(`${path}/merged.erofs`, 'something else')
        mountImages(images, [], (mount) => {
          expect(readdirSync(handlePath(mount))).toEqual(['name'])
        })
      })
    } finally {
      close(opened.directory)
    }
  })
)
