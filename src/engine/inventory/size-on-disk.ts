/** How much room a tree takes on its disk. */
import { walk, type Walked } from '../../rootfs/walk.ts'
import type { ByteString } from '../../bytes.ts'
import type { Ledger } from '../../sys/ledger.ts'
import { inodeKey } from '../../sys/status.ts'

/** The unit of `Status.blocks`, whatever the file system has. */
const BLOCK_BYTES = 512

/**
 * Allocated bytes: a file with several names counts once, and what is mounted counts nothing. Blocks that files share count for each of
 * them, as with du.
 * @param root descriptor @param skip names that are left out
 */
export function sizeOnDisk(root: number, skip: ReadonlySet<ByteString>, ledger?: Ledger): number {
  const seen = new Set<string>()
  const isMount = ({ path, status }: Walked): boolean => path !== '' && status.isMountRoot
  let bytes = 0
  for (const walked of walk(root, skip, isMount, ledger)) {
    const { status } = walked
    if (isMount(walked) || isSeen(seen, walked)) continue
    bytes += status.blocks * BLOCK_BYTES
  }
  return bytes
}

function isSeen(seen: Set<string>, { status }: Walked): boolean {
  if (status.type === 'directory' || status.nlink < 2) return false
  const key = inodeKey(status)
  if (seen.has(key)) return true
  seen.add(key)
  return false
}
