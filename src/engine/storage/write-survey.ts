/** The tree manifest and the fingerprints of a tree that was just made: several threads look at it, part by part. */
import { toBuffer } from '../../bytes.ts'
import { sameDefaults, type Defaults } from '../../mtree/lines.ts'
import { formatHeader } from '../../mtree/write.ts'
import { letsOwnerIn, surveyParts, type SurveyPart } from '../../plan/survey-parts.ts'
import type { Directory } from '../../plan/tree.ts'
import type { SurveyOptions } from '../../rootfs/survey.ts'
import { status } from '../../sys/status.ts'
import type { SurveyedPart } from '../../worker/survey-tree.ts'
import { currentTime, TreeManifestFiles, treeManifestHeader } from '../bundle/tree-manifest-file.ts'
import { withThreads, type ThreadOptions } from '../operation/threads.ts'

export interface SurveyPlace extends SurveyOptions {
  /** Path of the directory that the files are written into. */
  path: string
  /** Final path of the bundle. */
  destination: string
  /** Digest of the image manifest. */
  digest: string
  /** Whether no digests are stated. */
  isLazy: boolean
}

/** So many objects take a thread about ten milliseconds. */
const PART = 2048

/** Looks at each object once, since digests are known or not stated. @param root of the merged tree */
export async function writeSurvey(
  root: Directory,
  place: SurveyPlace,
  options: ThreadOptions
): Promise<void> {
  const { path, digest, destination, rootfs, isLazy } = place
  const scannedAt = currentTime()
  const { device } = status(rootfs, '')
  const files = new TreeManifestFiles(path, digest)
  try {
    files.addLines(toBuffer(formatHeader(treeManifestHeader(destination, isLazy))))
    await survey(root, place, device, options, inOrder(files))
    files.finish(device, scannedAt)
  } finally {
    files.close()
  }
}

type OnPart = (part: SurveyedPart) => void

/** Adds parts that follow each other: the first line with defaults may say what the last one of the part before said. */
function inOrder(files: TreeManifestFiles): OnPart {
  let defaults: Defaults | undefined
  return ({ text, firstSet, lastDefaults, fingerprints }) => {
    const isSaid = defaults !== undefined && sameDefaults(defaults, firstSet.defaults)
    files.addLines(text.subarray(0, isSaid ? firstSet.from : firstSet.to))
    files.addLines(text.subarray(firstSet.to))
    files.addFingerprints(fingerprints)
    defaults = lastDefaults
  }
}

async function survey(
  root: Directory,
  { rootfs, outside, ledger }: SurveyOptions,
  device: number,
  options: ThreadOptions,
  onPart: OnPart
): Promise<void> {
  const parts = surveyParts(root, PART)
  const first = takeTwo(parts)
  const threads = first.length < 2 ? 0 : options.jobs
  await withThreads(threads, options, async (pool, control) => {
    const run = (part: SurveyPart): Promise<SurveyedPart> =>
      pool.run({ type: 'survey-tree', rootfs, outside, ledger, device, part }, control)
    await aheadInOrder(chain(first, parts), run, howFarAhead(root, ledger, threads), onPart)
  })
}

/** Opening up a directory changes its mode, so directories that keep their owner out are looked at one after the other. */
function howFarAhead(root: Directory, ledger: SurveyOptions['ledger'], threads: number): number {
  return ledger !== undefined && !letsOwnerIn(root) ? 1 : Math.max(1, 2 * threads)
}

/** Runs at most so many at the same time, and hands over their results in order. */
async function aheadInOrder<Part, Result>(
  parts: Iterable<Part>,
  run: (part: Part) => Promise<Result>,
  most: number,
  onResult: (result: Result) => void
): Promise<void> {
  const running: Promise<Result>[] = []
  for (const part of parts) {
    const result = run(part)
    // whoever waits for it hears of its failure; others may fail first
    result.catch(() => undefined)
    running.push(result)
    if (running.length >= most) onResult(await running.shift()!)
  }
  for (const result of running) onResult(await result)
}

function takeTwo<T>(values: Iterator<T>): T[] {
  const taken: T[] = []
  for (let next = values.next(); next.done !== true; next = values.next())
    if (taken.push(next.value) === 2) break
  return taken
}

function* chain<T>(first: readonly T[], rest: Iterable<T>): Generator<T> {
  yield* first
  yield* rest
}
