/** A whole tree, scanned in this thread. */
import { ScannedTree } from '../../src/rootfs/scanned-tree.ts'
import { Scanner } from '../../src/rootfs/scanner.ts'

export function scan(root: number): ScannedTree {
  const tree = new ScannedTree()
  const scanner = new Scanner(root, (batch) => tree.add(batch))
  const waiting = ['']
  scanner.root()
  for (const path of waiting) scanner.directory(path, (found) => waiting.push(found))
  scanner.flush()
  scanner.release()
  return tree
}
