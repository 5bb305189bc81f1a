/** Which of the staged directories a directory of the merged tree is made from. */
import type { PhysicalDirectory, PlannedDirectory, PlannedInode } from './planned-tree.ts'

/**
 * A directory that was there before stays, however few of the children it holds: only it has the owner, mode and
 * attributes that nobody describes. Of others, the one with the most children saves the most moves; one that is in place
 * saves two more.
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
