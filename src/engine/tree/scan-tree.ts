/** A tree as it is now, looked at by several threads where there is enough to look at. */
import type { ByteString } from '../../bytes.ts'
import { ScannedTree } from '../../rootfs/scanned-tree.ts'
import { Scanner, type ScanBatch } from '../../rootfs/scanner.ts'
import type { Control } from '../../worker/control.ts'
import { perform, SILENT } from '../../worker/perform.ts'
import type { Pool } from '../../worker/pool.ts'
import type { ScanTreeTask } from '../../worker/scan-tree.ts'
import { withThreads } from '../operation/threads.ts'
import type { Ledger } from '../../sys/ledger.ts'
import { putModesBack } from '../../sys/put-modes-back.ts'
import type { TreeOptions } from './hash-files.ts'

/** With up to this many objects, the calling thread finishes before another thread could start. */
const WORTH_THREADS = 5000

/** How to look at a whole tree. */
export interface ScanOptions extends TreeOptions {
  /** How many objects it probably has, so that threads which will be needed can start at once; default: unknown. */
  expected?: number | undefined
}

/**
 * Looks at a whole tree, with modes as they were before the operation. Other threads begin while this one calls `meanwhile` and then takes its share.
 * @param root descriptor of the tree's directory, open until this settles
 * @param enough how many objects this thread looks at before it asks others
 * @throws SYSCALL_FAILED with the path, ABORTED, and what `meanwhile` throws
 */
export async function scanTree<T>(
  root: number,
  options: ScanOptions,
  meanwhile: () => T,
  enough: number = options.jobs > 1 ? WORTH_THREADS : Infinity
): Promise<[ScannedTree, T]> {
  const { ledger, expected = 0 } = options
  const tree = new ScannedTree()
  const others = Math.max(0, options.jobs - 1)
  const result = await withThreads(others, options, async (pool, control) => {
    if (ledger !== undefined) putModesBack(ledger)
    if (expected > enough) pool.start()
    const subtrees = scanTop(root, tree, enough, ledger)
    if (subtrees.length === 0) return meanwhile()
    const task: ScanTreeTask = { type: 'scan-tree', root, subtrees, ledger }
    return share(task, tree, { pool, control, others }, meanwhile)
  })
  return [tree, result]
}

/** From the top down, level by level, until there are `enough` objects; gives the directories that are left. */
function scanTop(
  root: number,
  tree: ScannedTree,
  enough: number,
  ledger: Ledger | undefined
): ByteString[] {
  const scanner = new Scanner(root, (batch) => tree.add(batch), ledger)
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

interface Helpers {
  pool: Pool
  control: Control
  /** How many threads beside this one. */
  others: number
}

async function share<T>(
  task: ScanTreeTask,
  tree: ScannedTree,
  { pool, control, others }: Helpers,
  meanwhile: () => T
): Promise<T> {
  const scanned = (batch: ScanBatch): void => tree.add(batch)
  const theirs = Promise.all(
    Array.from({ length: others }, () => pool.run(task, control, { scanned }))
  )
  const ours = untilThreadsRun().then(async () => {
    const result = meanwhile()
    await perform(task, control, { ...SILENT, scanned })
    return result
  })
  const [result] = await Promise.all([ours, theirs])
  return result
}

/** Lets tasks be handed out before this thread does anything else. */
function untilThreadsRun(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
