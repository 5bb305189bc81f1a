/** What the beginning and the end of a file say about the disk for virtual machines in it. */

export type DiskFormat = 'qcow2' | 'vmdk' | 'vhdx' | 'vhd' | 'vdi' | 'raw'

export interface DiskDescription {
  /** `raw` if nothing says that it is another. */
  format: DiskFormat
  /** Bytes that the virtual machine sees; undefined if the format does not say it there, or says 2^53 or more. */
  virtualSize: number | undefined
}

const SECTOR_BYTES = 512n

/** @param size of the file, in bytes; `head` has at least the first 512 bytes, and `tail` the last, unless there are fewer */
export function describeDisk(head: Buffer, tail: Buffer, size: number): DiskDescription {
  const known = qcow2(head) ?? vmdk(head) ?? vhdx(head) ?? vhd(head) ?? vhd(tail) ?? vdi(head)
  return known ?? { format: 'raw', virtualSize: size }
}

/** qemu, docs/interop/qcow2: big-endian; version 1 has another name. */
function qcow2(head: Buffer): DiskDescription | undefined {
  if (!begins(head, 'QFI\xfb') || head.length < 32 || head.readUInt32BE(4) < 2) return undefined
  return { format: 'qcow2', virtualSize: exact(head.readBigUInt64BE(24)) }
}

/** VMware's Virtual Disk Format 5.0: a sparse extent, or a text that names extents in other files. */
function vmdk(head: Buffer): DiskDescription | undefined {
  if (begins(head, 'KDMV') && head.length >= 20)
    return { format: 'vmdk', virtualSize: exact(head.readBigUInt64LE(12) * SECTOR_BYTES) }
  if (begins(head, 'COWD') && head.length >= 16)
    return { format: 'vmdk', virtualSize: exact(BigInt(head.readUInt32LE(12)) * SECTOR_BYTES) }
  return begins(head, '# Disk DescriptorFile')
    ? { format: 'vmdk', virtualSize: undefined }
    : undefined
}

/** [MS-VHDX] 2.2.1; the size is in a table at another place. */
function vhdx(head: Buffer): DiskDescription | undefined {
  return begins(head, 'vhdxfile') ? { format: 'vhdx', virtualSize: undefined } : undefined
}

/** Virtual Hard Disk Image Format Specification: the footer, of which dynamic disks have a copy at the beginning. */
function vhd(footer: Buffer): DiskDescription | undefined {
  if (!begins(footer, 'conectix') || footer.length < 56) return undefined
  return { format: 'vhd', virtualSize: exact(footer.readBigUInt64BE(48)) }
}

/** VirtualBox. */
function vdi(head: Buffer): DiskDescription | undefined {
  if (head.length < 0x178 || head.readUInt32LE(0x40) !== 0xbeda107f) return undefined
  return { format: 'vdi', virtualSize: exact(head.readBigUInt64LE(0x170)) }
}

/** A number cannot be exact from 2^53 on, and no disk is so large. */
function exact(bytes: bigint): number | undefined {
  return bytes <= Number.MAX_SAFE_INTEGER ? Number(bytes) : undefined
}

function begins(bytes: Buffer, magic: string): boolean {
  return bytes.toString('latin1', 0, magic.length) === magic
}
