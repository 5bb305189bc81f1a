/** How each file of a set is checked, from its first byte to its last. */
import { digestHex, digestOf } from '../../image/digest.ts'
import { treeFacts } from '../../rootfs/read-hash-tree.ts'
import { status } from '../../sys/status.ts'
import type { Control } from '../../worker/control.ts'
import type { Pool } from '../../worker/pool.ts'
import {
  compareDigest,
  compareFile,
  compareImage,
  compareTree,
  expectedImages,
  type ExpectedImage
} from './compare-images.ts'
import type { ErofsFile, ImageSet, VerityFile } from './image-set.ts'
import { diskDescriptor } from './vm-disk.ts'

/** A file of a set, and what finds its faults. */
export interface Check {
  file: ErofsFile
  run: Run
  /** The names of other files without which that is not possible, and what is to be done if one of them is damaged. */
  needs: readonly string[]
  alone: Run
}

type Run = (pool: Pool, control: Control) => Promise<void>

/** Layers first, bottom first, each once; then the image that joins them, what there is for virtual machines, and hash trees. */
export function checksOf(directory: number, set: ImageSet): Check[] {
  const images = expectedImages(set)
  return [
    ...images.map((image) => imageCheck(directory, image)),
    ...checksForMachines(directory, set),
    ...treeChecks(directory, set.verity ?? [], images)
  ]
}

function imageCheck(directory: number, image: ExpectedImage): Check {
  const { name, devices } = image
  const task = { directory, name, devices: devices.map((device) => device.name) }
  return {
    file: image,
    needs: task.devices,
    alone: bytesOf(directory, image),
    async run(pool, control) {
      const found = await pool.run({ type: 'check-erofs', ...task }, control)
      compareImage(image, found)
      compareDigest(image, found.sha256)
    }
  }
}

/** The image for old guests refers to what follows it on a disk, so it cannot be read alone. */
function checksForMachines(directory: number, set: ImageSet): Check[] {
  const { linear, disk } = set
  const checks: Check[] = []
  if (linear !== undefined) checks.push(fileCheck(directory, linear))
  if (disk !== undefined)
    checks.push(
      fileCheck(directory, disk, () =>
        compareDigest(disk, digestHex(digestOf(diskDescriptor(set))))
      )
    )
  return checks
}

function treeChecks(
  directory: number,
  trees: readonly VerityFile[],
  images: readonly ExpectedImage[]
): Check[] {
  return trees.map((tree) => {
    const image = images.find(({ name }) => name === tree.file)!
    return fileCheck(directory, tree, () =>
      compareTree(tree, image, treeFacts(directory, tree.name))
    )
  })
}

/** @param and what is also to be checked */
function fileCheck(directory: number, file: ErofsFile, and: () => void = () => undefined): Check {
  const compare = bytesOf(directory, file)
  const run: Run = async (pool, control) => {
    await compare(pool, control)
    and()
  }
  return { file, run, needs: [], alone: run }
}

/** Compares nothing but the size and the digest. */
function bytesOf(directory: number, file: ErofsFile): Run {
  return async (pool, control) => {
    compareFile(file, status(directory, file.name))
    const task = { root: directory, paths: [file.name], ledger: undefined }
    const [sha256] = await pool.run({ type: 'hash-files', ...task }, control)
    compareDigest(file, sha256!)
  }
}
