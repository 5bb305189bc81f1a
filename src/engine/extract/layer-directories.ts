/**
 * Committed layers as directories to read from. The image of a layer is mounted for that, read-only and where no other process
 * sees it; the mount goes with this process.
 */
import { OciUnpackError, withCause } from '../../errors.ts'
import { close } from '../../sys/files.ts'
import { handlePath } from '../../sys/handle-path.ts'
import { openLoopDevice } from '../../sys/loop-device.ts'
import { newMount } from '../../sys/new-mount.ts'
import { openRegularFile } from '../../sys/open-regular.ts'
import { directoryOf, type LayerPlaces, type Place } from './layer-places.ts'

type ImagePlace = Extract<Place, { kind: 'image' }>

export class LayerDirectories {
  private readonly places: LayerPlaces
  /** Descriptors, by layer. */
  private readonly mounts = new Map<number, number>()

  constructor(places: LayerPlaces) {
    this.places = places
  }

  /** A path that is good until `close`. @throws TARGET_INVALID, MOUNT_FAILED */
  pathOf(layer: number): string {
    const place = this.places.committed(layer)
    if (place.kind !== 'image') return directoryOf(place)
    let mount = this.mounts.get(layer)
    if (mount === undefined) this.mounts.set(layer, (mount = mountImage(place)))
    return handlePath(mount)
  }

  close(): void {
    for (const mount of this.mounts.values()) close(mount)
  }
}

/** A descriptor of its root. @throws MOUNT_FAILED */
export function mountImage({ path, format }: Pick<ImagePlace, 'path' | 'format'>): number {
  const explain = (error: unknown, said: string): unknown => withCause(failed(path, said), error)
  const file = openRegularFile(path, 'followed')
  if (file === undefined) throw failed(path, 'it is not a regular file')
  try {
    const device = openLoopDevice(file.fd)
    try {
      return newMount(format, [['source', device.path]], [], explain)
    } finally {
      close(device.fd)
    }
  } finally {
    close(file.fd)
  }
}

function failed(path: string, reason: string): OciUnpackError {
  return new OciUnpackError('MOUNT_FAILED', 'The image of a layer cannot be mounted.', {
    facts: { path, ...(reason === '' ? {} : { reason }) },
    hint: 'Layers above it can only be extracted if its files can be read. It needs root, loop devices and the file system in the kernel.'
  })
}
