/** The current state of the part of a tree that is reported to have changed. */
import { compareBytes, type ByteString } from '../../bytes.ts'
import type { ChangedPaths } from '../../plan/changed-paths.ts'
import { baseName, parentPath } from '../../plan/names.ts'
import { ScannedTree } from '../../rootfs/scanned-tree.ts'
import { Scanner } from '../../rootfs/scanner.ts'
import type { Ledger } from '../../sys/ledger.ts'
import { putModesBack } from '../../sys/put-modes-back.ts'

/**
 * Looks at the listed paths and at the directories above them, without which nothing is found. Modes are recorded as
 * they were before the operation: directories come before what is in them.
 * @throws SYSCALL_FAILED with the path
 */
export function scanListed(
  root: number,
  listed: ChangedPaths,
  ledger: Ledger | undefined
): ScannedTree {
  if (ledger !== undefined) putModesBack(ledger)
  const tree = new ScannedTree()
  const scanner = new Scanner(root, (batch) => tree.add(batch), ledger)
  const whole = new Set([...listed.trees].map(inside))
  try {
    scanner.root()
    scanner.flush()
    for (const [directory, names] of namesByDirectory(listed))
      if (!isBelow(directory, whole)) scanner.some(directory, [...names])
    scanner.flush()
    for (const path of outermost(whole)) scanWhole(scanner, tree, path)
    scanner.flush()
    return tree
  } finally {
    scanner.release()
  }
}

function scanWhole(scanner: Scanner, tree: ScannedTree, path: ByteString): void {
  scanner.flush()
  if (path !== '' && tree.find(path)?.type !== 'directory') return
  const waiting = [path]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop())
    scanner.directory(next, (found) => waiting.push(found))
}

/** The directories are sorted. */
function namesByDirectory({ entries, trees }: ChangedPaths): [ByteString, Set<ByteString>][] {
  const names = new Map<ByteString, Set<ByteString>>()
  for (const path of [...entries, ...trees])
    for (let at = inside(path); at !== ''; at = parentPath(at)) {
      const known = names.get(parentPath(at))
      if (known?.has(baseName(at)) === true) break
      if (known === undefined) names.set(parentPath(at), new Set([baseName(at)]))
      else known.add(baseName(at))
    }
  return [...names].sort(([a], [b]) => compareBytes(a, b))
}

/** The root as the scanner names it. */
function inside(path: ByteString): ByteString {
  return path === '.' ? '' : path
}

/** Whether a directory is one of these trees, or in one. */
function isBelow(directory: ByteString, trees: ReadonlySet<ByteString>): boolean {
  if (trees.has('')) return true
  for (let at = directory; at !== ''; at = parentPath(at)) if (trees.has(at)) return true
  return false
}

function outermost(trees: ReadonlySet<ByteString>): ByteString[] {
  return [...trees].filter((path) => path === '' || !isBelow(parentPath(path), trees))
}
