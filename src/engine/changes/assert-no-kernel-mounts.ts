/** /proc, /sys and the like in a bundle, which a container or a chroot left there: they are not files of an image. */
import { display, fromText } from '../../bytes.ts'
import { OciUnpackError } from '../../errors.ts'
import { handlePath, withoutHandles } from '../../sys/handle-path.ts'
import { kernelMountsBelow } from '../../sys/mounts.ts'

/** @param rootfs descriptor @throws BUNDLE_BUSY */
export function assertNoKernelMounts(rootfs: number): void {
  const [point] = kernelMountsBelow(fromText(withoutHandles(handlePath(rootfs))))
  if (point === undefined) return
  throw new OciUnpackError('BUNDLE_BUSY', 'A file system of the kernel is mounted in the bundle.', {
    facts: { path: display(point), reason: 'something is mounted there' },
    hint: 'Stop the container, or unmount it with umount, and try again.'
  })
}
