/** A tree on disk as far as a tree manifest describes it, so that both can be compared. */
import type { ByteString } from '../../bytes.ts'
import type { MtreeEntry } from '../../mtree/entry.ts'
import type { HashFiles } from '../tree/hash-files.ts'
import type { DiskValues, Scanned } from './disk-values.ts'

export interface StatedOptions {
  /** Keywords that the caller named: their values count even where the tree manifest does not state them. */
  named: ReadonlySet<string>
  /** Whether `sha256digest` is compared at all. */
  isHashed: boolean
  /** Released at the end. */
  values: DiskValues
  hashFiles: HashFiles
}

/** The scanned objects, with only those values of each path that the tree manifest states or the caller named. */
export async function valuesAsStated(
  entries: readonly MtreeEntry[],
  scanned: readonly Scanned[],
  options: StatedOptions
): Promise<MtreeEntry[]> {
  const claims = new Map(entries.map((entry) => [entry.path, entry]))
  const files = options.isHashed ? filesToHash(claims, scanned, options.named) : []
  try {
    const digests = await options.hashFiles(files.map(({ path, size = 0 }) => ({ path, size })))
    files.forEach((entry, index) => (entry.sha256 = digests[index]))
    return scanned.map((it) => asStated(it, claims.get(it.entry.path), options))
  } finally {
    options.values.release()
  }
}

function filesToHash(
  claims: ReadonlyMap<ByteString, MtreeEntry>,
  scanned: readonly Scanned[],
  named: ReadonlySet<string>
): MtreeEntry[] {
  return scanned.flatMap(({ entry }) => {
    const claim = claims.get(entry.path)
    if (entry.type !== 'file' || claim === undefined) return []
    return claim.sha256 !== undefined || named.has('sha256digest') ? [entry] : []
  })
}

/** `time` and `tar_time` stand for each other: where only the other one is stated, whole seconds are compared. */
export function inNamedTime(entry: MtreeEntry, named: ReadonlySet<string>): MtreeEntry {
  const { time, mtimeSec } = entry
  if (named.has('time') && time === undefined && mtimeSec !== undefined)
    return { ...entry, time: { sec: mtimeSec, nsec: 0 } }
  if (named.has('tar_time') && mtimeSec === undefined && time !== undefined)
    return { ...entry, mtimeSec: time.sec }
  return entry
}

function asStated(
  scanned: Scanned,
  claim: MtreeEntry | undefined,
  { named, values }: StatedOptions
): MtreeEntry {
  const { entry, status } = scanned
  if (claim === undefined) return entry
  if (claim.other?.has('nochange') === true) return inNamedTime(claim, named)
  const { mtimeSec: sec, mtimeNsec } = status
  const nsec = claim.time === undefined && claim.mtimeSec !== undefined ? 0 : mtimeNsec
  const counts = (keyword: string, stated: unknown): boolean =>
    stated !== undefined || named.has(keyword)
  return {
    path: entry.path,
    type: counts('type', claim.type) ? entry.type : undefined,
    size: counts('size', claim.size) ? entry.size : undefined,
    uid: counts('uid', claim.uid) ? entry.uid : undefined,
    gid: counts('gid', claim.gid) ? entry.gid : undefined,
    mode: counts('mode', claim.mode) ? entry.mode : undefined,
    nlink: counts('nlink', claim.nlink) ? entry.nlink : undefined,
    link: counts('link', claim.link) ? entry.link : undefined,
    mtimeSec: counts('tar_time', claim.mtimeSec) ? entry.mtimeSec : undefined,
    time: counts('time', claim.time) ? { sec, nsec } : undefined,
    sha256: counts('sha256digest', claim.sha256) ? entry.sha256 : undefined,
    xattrs: entry.xattrs,
    other: values.of(scanned, claim.other)
  }
}
