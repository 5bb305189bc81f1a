import type { Inode, Directory } from './tree.ts'
import type { PhysicalDirectory } from './tree.ts'

/** The candidate with the most children saves the most moves; one that is in place saves two more. */
export function chooseBase(
  directory: Directory,
  present: PhysicalDirectory | Inode | undefined
): PhysicalDirectory | undefined {
  let best: PhysicalDirectory | undefined
  let bestScore = -1
  for (const candidate of directory.candidates) {
    const score = candidate.children.size + (candidate === present ? 2 : 0)
    if (score > bestScore) [best, bestScore] = [candidate, score]
  }
  return best
}
