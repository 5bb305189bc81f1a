/** The programs that read descriptors, and the check that all of them see the disk that is meant. */
import type { ByteString } from '../bytes.ts'
import { cloudHypervisor } from './cloud-hypervisor.ts'
import { CYLINDER, extent, SECTOR, totalSectors, type DiskFile, type Reader } from './disk.ts'
import { imago } from './imago.ts'
import { qemu } from './qemu.ts'

export const READERS: Readonly<Record<string, Reader>> = {
  qemu,
  'imago (libkrun)': imago,
  'Cloud Hypervisor': cloudHypervisor
}

/** What a descriptor cannot express has been refused, so a difference is a bug of this program. */
export function checkWithReaders(descriptor: ByteString, files: readonly DiskFile[]): void {
  for (const [name, read] of Object.entries(READERS)) {
    const fault = difference(read, descriptor, files)
    if (fault !== undefined) throw new Error(`${name} would not see the disk: ${fault}`)
  }
}

/** What a reader sees differently; a disk may end within the last cylinder, or with it. */
export function difference(
  read: Reader,
  descriptor: ByteString,
  files: readonly DiskFile[]
): string | undefined {
  const disk = read(descriptor)
  if (typeof disk === 'string') return disk
  const wanted = files.map(({ name, size }) => extent(name, size / SECTOR, 0))
  if (JSON.stringify(disk.extents) !== JSON.stringify(wanted)) return 'the extents are others'
  const rest = disk.sectors - totalSectors(wanted)
  return rest < 0 || rest >= CYLINDER ? `the disk has ${disk.sectors} sectors` : undefined
}
