/** The task of recording what is in a tree. Several threads share one list of subtrees and take turns. */
import type { ByteString } from '../bytes.ts'
import { Scanner, type ScanBatch } from '../rootfs/scanner.ts'
import type { Ledger } from '../sys/ledger.ts'
import type { Control } from './control.ts'

export interface ScanTreeTask {
  type: 'scan-tree'
  /** Descriptor of the directory that the paths are relative to; all threads of the process share it. */
  root: number
  subtrees: readonly ByteString[]
  /** Notes the modes of what has to be opened up. */
  ledger: Ledger | undefined
}

export interface ScanTreeReport {
  /** What was found. Together, the batches of all threads contain each directory below the subtrees exactly once. */
  scanned: (batch: ScanBatch) => void
}

/** Lets messages and signals through between turns. @throws SYSCALL_FAILED, ABORTED */
export async function scanTree(
  task: ScanTreeTask,
  control: Control,
  report: ScanTreeReport
): Promise<void> {
  const scanner = new Scanner(task.root, report.scanned, task.ledger)
  try {
    for (let turn = control.takeTurn(); turn < task.subtrees.length; turn = control.takeTurn()) {
      scanSubtree(scanner, task.subtrees[turn]!, control)
      await new Promise((resolve) => setImmediate(resolve))
    }
    scanner.flush()
  } finally {
    scanner.release()
  }
}

function scanSubtree(scanner: Scanner, subtree: ByteString, control: Control): void {
  const waiting = [subtree]
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    control.throwIfAborted()
    scanner.directory(path, (found) => waiting.push(found))
  }
}
