/** A tree as it is now, looked at by several threads where there is enough to look at. */
import type { ByteString } from '../bytes.ts'
import { ScannedTree } from '../rootfs/scanned-tree.ts'
import { Scanner } from '../rootfs/scanner.ts'
import { throwIfAborted } from './abort.ts'
import { withThreads, type ThreadOptions } from './threads.ts'

/** Up to here the calling thread is done sooner than another one has started. */
const WORTH_THREADS = 5000

/**
 * @param root descriptor of the tree's directory, open until this settles
 * @param enough how many objects this thread looks at before it leaves the rest to others
 * @throws SYSCALL_FAILED with the path, ABORTED
 */
export async function scanTree(
  root: number,
  options: ThreadOptions,
  enough: number = options.jobs > 1 ? WORTH_THREADS : Infinity
): Promise<ScannedTree> {
  throwIfAborted(options.signal)
  const tree = new ScannedTree()
  const subtrees = scanTop(root, tree, enough)
  if (subtrees.length > 0) await scanSubtrees(root, tree, subtrees, options)
  return tree
}

/** From the top down, level by level, until there are `enough` objects; gives the directories that are left. */
function scanTop(root: number, tree: ScannedTree, enough: number): ByteString[] {
  const scanner = new Scanner(root, (batch) => tree.add(batch))
  try {
    scanner.root()
    const waiting: ByteString[] = ['']
    let next = 0
    for (let found = 0; next < waiting.length && found < enough; next++)
      found += scanner.directory(waiting[next]!, (path) => waiting.push(path))
    scanner.flush()
    return waiting.slice(next)
  } finally {
    scanner.release()
  }
}

function scanSubtrees(
  root: number,
  tree: ScannedTree,
  subtrees: readonly ByteString[],
  options: ThreadOptions
): Promise<void> {
  return withThreads(options.jobs, options, async (pool, control) => {
    const threads = Array.from({ length: Math.max(1, options.jobs) }, () =>
      pool.run({ type: 'scan-tree', root, subtrees }, control, {
        scanned: (batch) => tree.add(batch)
      })
    )
    await Promise.all(threads)
  })
}
