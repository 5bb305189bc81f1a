/** Has the kernel mount images: from their files where it can, otherwise through loop devices. */
import { statSync } from 'node:fs'
import { fromText, type ByteString } from '../../bytes.ts'
import { OciUnpackError, withCause, type Facts } from '../../errors.ts'
import { close } from '../../sys/files.ts'
import { fromNode, isErrno } from '../../sys/failure.ts'
import { handlePath, withoutHandles } from '../../sys/handle-path.ts'
import { openLoopDevice, type LoopDevice } from '../../sys/loop-device.ts'
import { newMount, type MountOptions, type MountRestriction } from '../../sys/new-mount.ts'
import type { OpenImages } from './open-images.ts'

/**
 * Kernels before 6.12 mount block devices only, and so do newer ones where the files are on a file system without
 * a page cache of its own (tmpfs) or in another EROFS image.
 */
const NEEDS_DEVICES = ['ENOTBLK', 'EINVAL']

/** @param show gets the mount, which is nowhere yet @throws MOUNT_FAILED */
export function mountImages(
  images: OpenImages,
  restrictions: readonly MountRestriction[],
  show: (mount: number) => void
): 'files' | 'loop-devices' {
  const mount = (image: string, devices: readonly string[]): void => {
    const fd = newErofs(image, devices, restrictions)
    try {
      show(fd)
    } finally {
      close(fd)
    }
  }
  try {
    mount(sourceOf(images.merged), images.devices.map(handlePath))
    return 'files'
  } catch (error) {
    const { cause } = error as Error
    if (!isErrno(cause, ...NEEDS_DEVICES)) throw error
  }
  withLoopDevices(images, mount)
  return 'loop-devices'
}

/**
 * What findmnt shows. The kernel opens it again, so it is the path of the file that was compared as long as that leads to it.
 * Whoever can put another file there meanwhile could have put it there before.
 */
function sourceOf(file: number): ByteString {
  const handle = handlePath(file)
  const path = withoutHandles(handle)
  const source = fromText(path)
  return isSame(path, handle) && source.length <= LONGEST_SOURCE ? source : handle
}

/** In bytes; fsconfig(2) takes no longer values. */
const LONGEST_SOURCE = 255

function isSame(path: string, handle: string): boolean {
  const [named, opened] = [path, handle].map((name) =>
    statSync(name, { bigint: true, throwIfNoEntry: false })
  )
  return named?.ino === opened!.ino && named.dev === opened!.dev
}

function newErofs(
  image: string,
  devices: readonly string[],
  restrictions: readonly MountRestriction[]
): number {
  const options: MountOptions = [
    ['source', image],
    ...devices.map((path) => ['device', path] as const)
  ]
  return newMount('erofs', options, restrictions, mountFailed)
}

function mountFailed(error: unknown, said: string): unknown {
  const noSuch = isErrno(error, 'ENODEV')
  const failure = new OciUnpackError(
    'MOUNT_FAILED',
    'The kernel does not mount the EROFS images.',
    {
      facts: { ...callOf(error), ...(said === '' ? {} : { reason: said }) },
      hint: noSuch
        ? 'The kernel has no EROFS: load the module (`modprobe erofs`).'
        : 'The log of the kernel (`dmesg`) may say more.'
    }
  )
  return withCause(failure, error)
}

function callOf(error: unknown): Facts {
  const call = error instanceof OciUnpackError ? error.facts.call : undefined
  return call === undefined ? {} : { call }
}

/** The devices go when their last user does, also if this process is killed. */
function withLoopDevices(
  { merged, devices }: OpenImages,
  act: (image: string, devices: readonly string[]) => void
): void {
  const open = new Map<number, LoopDevice>()
  try {
    for (const file of new Set([merged, ...devices])) open.set(file, loopDevice(file))
    act(
      open.get(merged)!.path,
      devices.map((file) => open.get(file)!.path)
    )
  } finally {
    for (const { fd } of open.values()) close(fd)
  }
}

function loopDevice(file: number): LoopDevice {
  try {
    return openLoopDevice(file)
  } catch (failure) {
    const cause = fromNode(failure)
    throw new OciUnpackError('MOUNT_FAILED', 'No loop device could be set up for an EROFS image.', {
      facts: callOf(cause),
      hint: 'Loop devices need /dev/loop-control and /dev/loopN, which containers often lack. Linux 6.12 and later need none for images on ext4, xfs or btrfs.',
      cause
    })
  }
}
