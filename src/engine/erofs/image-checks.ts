/** How each file of a set is checked, from its first byte to its last. */
import { digestHex, digestOf } from '../../image/digest.ts'
import { topHash } from '../../rootfs/read-hash-tree.ts'
import { status } from '../../sys/status.ts'
import type { Control } from '../../worker/control.ts'
import type { Pool } from '../../worker/pool.ts'
import {
  compareDigest,
  compareRootHash,
  compareImage,
  compareSize,
  expectedImages,
  type ExpectedImage
} from './compare-images.ts'
import type { ErofsFile, ImageSet } from './image-set.ts'
import { diskDescriptor } from './vm-disk.ts'

/** A file of a set, and what finds its faults. */
export interface Check {
  file: ErofsFile
  run: (pool: Pool, control: Control) => Promise<void>
}

/** Layers first, bottom first, each once; then the image that joins them, what there is for virtual machines, and hash trees. */
export function checksOf(directory: number, set: ImageSet): Check[] {
  const images = expectedImages(set).map((image) => imageCheck(directory, image))
  return [...images, ...checksForMachines(directory, set)]
}

function imageCheck(directory: number, image: ExpectedImage): Check {
  const { name, devices } = image
  const task = { directory, name, devices: devices.map((device) => device.name) }
  return {
    file: image,
    async run(pool, control) {
      const found = await pool.run({ type: 'check-erofs', ...task }, control)
      compareImage(image, found)
      compareDigest(image, found.sha256)
    }
  }
}

/** The image for old guests refers to what follows it on a disk, so it cannot be read alone. */
function checksForMachines(directory: number, set: ImageSet): Check[] {
  const { linear, disk, verity = [] } = set
  const checks: Check[] = []
  if (linear !== undefined) checks.push(fileCheck(directory, linear))
  if (disk !== undefined)
    checks.push(
      fileCheck(directory, disk, () =>
        compareDigest(disk, digestHex(digestOf(diskDescriptor(set))))
      )
    )
  const trees = verity.map((tree) =>
    fileCheck(directory, tree, () => compareRootHash(tree, topHash(directory, tree.name)))
  )
  return [...checks, ...trees]
}

/** @param and what is also to be checked */
function fileCheck(directory: number, file: ErofsFile, and: () => void = () => undefined): Check {
  return {
    file,
    async run(pool, control) {
      compareSize(file, status(directory, file.name).size)
      const task = { root: directory, paths: [file.name], ledger: undefined }
      const [sha256] = await pool.run({ type: 'hash-files', ...task }, control)
      compareDigest(file, sha256!)
      and()
    }
  }
}
