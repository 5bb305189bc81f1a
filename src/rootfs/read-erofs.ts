/** Reads EROFS images from open files. */
import { ErofsImage } from '../erofs/read-image.ts'
import { walkImage } from '../erofs/read-tree.ts'
import { readSuperblock, uuidOf, type DeviceSlot } from '../erofs/read-superblock.ts'
import { deviceOf } from './erofs-device.ts'

/** What an image says about itself. */
export interface ErofsFacts {
  /** Of its file, in bytes. */
  size: number
  /** In hex. */
  uuid: string
  /** The devices that it needs. */
  devices: readonly DeviceSlot[]
}

/**
 * The start of an image, checked against the devices that it needs.
 * @param files the image, and then its devices; only with all of them can its content be read
 * @throws EROFS_INVALID, SYSCALL_FAILED
 */
export function openErofs(files: readonly number[]): { image: ErofsImage; facts: ErofsFacts } {
  const devices = files.map(deviceOf)
  const image = new ErofsImage(devices)
  const { uuid, devices: slots } = image.superblock
  const facts = { size: devices[0]!.length, uuid: uuid.toString('hex'), devices: slots }
  return { image, facts }
}

/**
 * What an image says about itself, whether or not the devices that it needs are there.
 * @throws EROFS_INVALID, SYSCALL_FAILED
 */
export function erofsFacts(file: number): ErofsFacts & { blocks: number } {
  const device = deviceOf(file)
  const { uuid, devices, blocks } = readSuperblock(device)
  return { size: device.length, uuid: uuid.toString('hex'), devices, blocks }
}

/**
 * The UUID (hex) of whatever EROFS image an open regular file is; undefined if it is none.
 * @throws EROFS_INVALID if it is not a regular file; SYSCALL_FAILED
 */
export function imageUuid(fd: number): string | undefined {
  return uuidOf(deviceOf(fd))
}

/** Reads all names, inodes and attributes, and where all bodies are. @param check may throw @throws EROFS_INVALID */
export function walkErofs(image: ErofsImage, check: () => void): void {
  for (const { inode } of walkImage(image)) {
    check()
    image.xattrs(inode)
    if (inode.type === 'symlink') image.target(inode)
    if (inode.type === 'file') drain(image.parts(inode))
  }
}

/** The reader checks each part as it yields it. */
function drain(parts: Iterable<unknown>): void {
  const iterator = parts[Symbol.iterator]()
  while (iterator.next().done !== true);
}
