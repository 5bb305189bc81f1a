/** Mounts the EROFS images of an image as one file system, and unmounts them. */
import { realpathSync } from 'node:fs'
import { resolve } from 'node:path'
import { display, fromText, type ByteString } from '../bytes.ts'
import { OciUnpackError } from '../errors.ts'
import { close, openOperatorPlace } from '../sys/files.ts'
import { mountOf, type MountedHere } from '../sys/mounts.ts'
import { isRestriction, moveMount, unmount, type MountRestriction } from '../sys/new-mount.ts'
import { privileges } from '../sys/privileges.ts'
import { mountImages } from './erofs/mount-images.ts'
import { withJoinedImages } from './erofs/joined-images.ts'
import { withImages, type OpenImages } from './erofs/open-images.ts'
import { openImageSet } from './erofs/read-image-set.ts'
import { asked } from './operation/asked.ts'
import { requireOptions } from './operation/required-options.ts'

export interface MountErofsOptions {
  /** A directory that `makeErofs` made; with `layers`, the image that joins them. */
  directory: string
  /** The images of layers in a storage, bottom first, if they are not in the directory. */
  layers?: readonly string[]
  /** An existing directory, where the file system becomes visible. */
  target: string
  /**
   * What the mount does not do, by the names that mount(8) has for it. Default nothing: set-user-ID programs, devices and
   * capabilities of the image work, as a container needs it.
   */
  options?: readonly MountRestriction[]
}

export interface MountErofsResult {
  /** Absolute path. */
  target: string
  /** How the kernel reads the images: from their files, or through loop devices. */
  through: 'files' | 'loop-devices'
}

/**
 * Mounts the whole image, read-only. The files stay in use until it is unmounted, and must not be changed. What was put
 * in their places, cut, lengthened or removed is refused before the mount.
 * @throws USAGE, EROFS_INVALID, MOUNT_FAILED, SYSCALL_FAILED
 */
export async function mountErofs(options: MountErofsOptions): Promise<MountErofsResult> {
  requireOptions(options, { directory: 'text', target: 'text' })
  const restrictions = options.options ?? []
  checkRestrictions(restrictions)
  const target = resolve(options.target)
  return asked({ path: target }, () => {
    requirePrivileges()
    const through = withPlace(target, (place) =>
      withOpenImages(options, (images) =>
        mountImages(images, restrictions, (mount) => moveMount(mount, place))
      )
    )
    return { target, through }
  })
}

/** JavaScript callers may give anything. @throws USAGE */
function checkRestrictions(restrictions: readonly unknown[]): void {
  const names: unknown[] = Array.isArray(restrictions) ? restrictions : [restrictions]
  const unknown = names.map(String).find((name) => !isRestriction(name))
  if (unknown === undefined && names === restrictions) return
  throw new OciUnpackError('USAGE', 'A mount option is not known, or the options are not a list.', {
    facts: { expected: 'nosuid, nodev or noexec', found: display(fromText(String(names))) },
    hint: 'Give {options} only these. The mount is read-only in any case, and needs no options for its files or loop devices.'
  })
}

function withOpenImages<T>(
  { directory, layers }: MountErofsOptions,
  act: (images: OpenImages) => T
): T {
  const place = resolve(directory)
  if (layers !== undefined)
    return withJoinedImages(
      place,
      layers.map((path) => resolve(path)),
      act
    )
  return withImagesIn(place, act)
}

function withImagesIn<T>(path: string, act: (images: OpenImages) => T): T {
  const opened = openImageSet(path)
  try {
    return withImages(opened, act)
  } finally {
    close(opened.directory)
  }
}

export interface UmountErofsOptions {
  /** Where an EROFS image is mounted. */
  target: string
}

/** @throws TARGET_INVALID if no EROFS image is mounted there, MOUNT_FAILED, SYSCALL_FAILED (EBUSY if it is in use) */
export async function umountErofs(options: UmountErofsOptions): Promise<void> {
  requireOptions(options, { target: 'text' })
  const target = resolve(options.target)
  await asked({ path: target }, () => {
    requirePrivileges()
    const point = realpathSync.native(target, 'latin1')
    withPlace(target, (place) => assertErofs(point, mountOf(place)))
    unmount(point)
  })
}

function assertErofs(point: ByteString, mounted: MountedHere | undefined): void {
  if (mounted?.fileSystem === 'erofs' && mounted.point === point) return
  const found = mounted?.point === point ? mounted.fileSystem : 'no mount'
  throw new OciUnpackError('TARGET_INVALID', 'No EROFS image is mounted here.', {
    facts: { expected: 'erofs', found }
  })
}

function requirePrivileges(): void {
  if (privileges().mountsImages) return
  throw new OciUnpackError('MOUNT_FAILED', 'Only root may mount and unmount EROFS images.', {
    facts: { reason: 'the process lacks CAP_SYS_ADMIN outside of user namespaces' },
    hint: 'Run it as root, in a container with --privileged.'
  })
}

function withPlace<T>(path: string, act: (fd: number) => T): T {
  const fd = openOperatorPlace(fromText(path))
  try {
    return act(fd)
  } finally {
    close(fd)
  }
}
