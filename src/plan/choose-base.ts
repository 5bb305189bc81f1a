/** Which of the directories on disk becomes a directory of the merged tree. */
import type { PhysicalDirectory, PlannedDirectory, PlannedInode } from './planned-tree.ts'

/**
 * A directory that existed before stays, however few of the children it contains: no layer describes its owner, mode
 * and attributes, so they cannot be restored. Otherwise, the one with the most children saves the most moves, and one
 * that is already in place saves two more.
 */
export function chooseBase(
  directory: PlannedDirectory,
  present: PhysicalDirectory | PlannedInode | undefined
): PhysicalDirectory | undefined {
  if (directory.isOld && present?.kind === 'physical') return present
  let best: PhysicalDirectory | undefined
  let bestScore = -1
  for (const candidate of directory.candidates) {
    const score = candidate.children.size + (candidate === present ? 2 : 0)
    if (score > bestScore) [best, bestScore] = [candidate, score]
  }
  return best
}
