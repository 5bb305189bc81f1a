/**
 * --userns: runs the command in a new user namespace, in which this user is root (uid 0) and has its subordinate ids
 * from 1 on, as `podman unshare` does. The namespace is made by `unshare`, its ids come from `newuidmap` and
 * `newgidmap`, which may give away what /etc/subuid and /etc/subgid allow. Root has all ids already, also the root of a
 * namespace that somebody else made, so nothing is started for it.
 */
import { userInfo } from 'node:os'
import { OciUnpackError } from '../errors.ts'
import { MADE_NAMESPACE, namespaceIds, namespaceName } from '../sys/user-namespace.ts'
import { isSet, text, texts, type Input } from './command.ts'
import { noRange } from './userns-errors.ts'
import { runInNamespace } from './userns-process.ts'
import { subordinateRanges, type IdKind, type Range } from './userns-ranges.ts'

/** What is left to do in this process: nothing, if the command has already run in a namespace. */
export type Entered = { status: number } | 'inside'

/**
 * @param args of the program, which get the same meaning inside
 * @param stop called in a namespace when the process outside has died
 * @throws USAGE, USERNS_UNAVAILABLE
 */
export async function enterUserNamespace(
  input: Input,
  args: readonly string[],
  stop: () => void
): Promise<Entered> {
  assertNoOtherIds(input)
  assertInherited(input)
  if (process.geteuid!() === 0) {
    stayInNamespace(stop)
    return 'inside'
  }
  const uids = await idMap('uid', process.geteuid!())
  const gids = await idMap('gid', process.getegid!())
  const program = [process.execPath, ...process.execArgv, process.argv[1]!, ...args]
  return { status: await runInNamespace(program, { uids, gids }) }
}

/** Ids that are mapped once more would be hard to tell from those of the namespace. */
function assertNoOtherIds(input: Input): void {
  const other = ['uid-map', 'gid-map'].find((name) => texts(input, name).length > 0)
  const found = other ?? (isSet(input, 'rootless') ? 'rootless' : undefined)
  if (found === undefined) return
  throw new OciUnpackError('USAGE', `--userns and --${found} cannot be used together.`, {
    hint: 'With --userns, owners are those of the image, by the ids in /etc/subuid and /etc/subgid.'
  })
}

/** Of the descriptors of this process, the namespace gets only standard input, output and error. */
function assertInherited(input: Input): void {
  const names = ['creds-fd', 'src-creds-fd', 'dest-creds-fd']
  const name = names.find((each) => Number(text(input, each) ?? 0) > 0)
  if (name === undefined) return
  throw new OciUnpackError('USAGE', `With --userns, --${name} can only be 0.`, {
    hint: 'Write the credentials to standard input, or put them into a variable (see --help).'
  })
}

const PARENT_CHECK_MS = 500

/** Root of a namespace: the bundles that are made are to be usable outside, and one that was made for us ends with its maker. */
function stayInNamespace(stop: () => void): void {
  const name = namespaceName()
  if (namespaceIds() === undefined || name === undefined) return
  const [made, maker] = process.env[MADE_NAMESPACE]?.split(' ') ?? []
  if (made !== name) process.env[MADE_NAMESPACE] = name
  else if (maker !== undefined) {
    // what is started from here has another parent, and is not to end with it
    process.env[MADE_NAMESPACE] = name
    setInterval(() => {
      if (process.ppid !== Number(maker)) stop()
    }, PARENT_CHECK_MS).unref()
  }
}

/** The arguments of newuidmap: triples of the id inside, the id outside, and how many. */
async function idMap(kind: IdKind, own: number): Promise<number[]> {
  const user = { id: process.geteuid!(), name: accountName() }
  const ranges = await subordinateRanges(kind, user)
  if (ranges.length === 0) throw noRange(kind, user)
  return [0, own, 1, ...inside(ranges)]
}

function inside(ranges: readonly Range[]): number[] {
  let next = 1
  return ranges.flatMap(({ start, count }) => {
    const first = next
    next += count
    return [first, start, count]
  })
}

/** A user of a build may have no account. */
function accountName(): string | undefined {
  try {
    return userInfo().username
  } catch {
    return undefined
  }
}
