/** The root file system of a bundle that is being made, open for a look. */
import { ROOTFS_DIRECTORY } from '../../bundle/files.ts'
import { close, openDirectory } from '../../sys/files.ts'
import type { Ledger } from '../../sys/ledger.ts'
import { openTree } from '../../sys/lender.ts'
import { whileLendingAsync } from '../place/lent-modes.ts'
import type { NewBundle } from './layer-storage.ts'

/** The root file system is closed while hooks are called, because they may unmount it. */
export async function withNewRootfs<T>(
  { fd }: NewBundle,
  act: (rootfs: number, ledger: Ledger | undefined) => T | Promise<T>
): Promise<T> {
  return whileLendingAsync(fd, ROOTFS_DIRECTORY, async (ledger) => {
    const rootfs = ledger === undefined ? openDirectory(fd, ROOTFS_DIRECTORY) : openTree(ledger)
    try {
      return await act(rootfs, ledger)
    } finally {
      close(rootfs)
    }
  })
}
