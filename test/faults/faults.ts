/** What can be done to a run at one of its calls, and what of that a test tries. */
import { constants } from 'node:os'
import { isInSample, randomFor, repeated, size } from './settings.ts'

export type Kind = 'KILL' | 'TERM' | 'HUP' | 'EIO' | 'ENOSPC' | 'EINTR' | 'EMFILE'

/** The `nth` call of this name. */
export interface Fault {
  kind: Kind
  call: string
  nth: number
}

export interface Call {
  name: string
  path: string
  /** Of the command itself, not of a program that it started. */
  isOwn: boolean
}

const READING =
  /^(read|pread|stat|lstat|fstat|newfstatat|statx|getdents|readlink|(l|f)?(get|list)xattr)/
/** Those that need room. Once a disk is full, it stays full. */
const ALLOCATING =
  /^(mk|symlink|link|rename|(l|f)?setxattr|write|pwrite|copy_file_range|sendfile|fallocate|fsync)/
const OPENING = /^open/
/** The kernel never interrupts these, or (close) there is nothing to be done again. */
const NEVER_INTERRUPTED =
  /^(close|.*stat.*|.*unlink.*|rmdir|rename.*|mk.*|.*link.*|.*xattr.*|ioctl|u?mount.*)$/

const APPLIES: Readonly<Record<Kind, (call: string) => boolean>> = {
  KILL: (call) => !READING.test(call),
  TERM: (call) => !READING.test(call),
  HUP: (call) => !READING.test(call),
  EIO: () => true,
  ENOSPC: (call) => ALLOCATING.test(call),
  EINTR: (call) => !NEVER_INTERRUPTED.test(call),
  EMFILE: (call) => OPENING.test(call)
}

export const KINDS = Object.keys(APPLIES) as Kind[]

export function isError(kind: Kind): boolean {
  return kind.startsWith('E')
}

/** As the injector takes it. */
export function actionOf(kind: Kind, call: string): string[] {
  if (!isError(kind)) return ['-a', `signal:${constants.signals[`SIG${kind}` as 'SIGKILL']}`]
  const action = ['-a', `error:${constants.errno[kind as 'EIO']}`]
  // other programs are not asked to try again
  if (kind === 'EINTR') return [...action, '-o']
  // a full disk stays full, but a name that goes back to where it came from needs no room
  return kind === 'ENOSPC' && !call.startsWith('rename') ? [...action, '-f'] : action
}

export function nameOf(scenario: string, { kind, call, nth }: Fault): string {
  return `${scenario}/${kind}/${call}/${nth}`
}

/** What is tried of all that could happen to a run with these calls. */
export function faultsFor(scenario: string, calls: readonly Call[]): Fault[] {
  if (repeated !== undefined) return repeatedFault(scenario, repeated)
  const all = everyFault(calls)
  const random = randomFor(scenario)
  if ('every' in size) {
    const { every } = size
    const offset = Math.floor(random() * every)
    return all.filter((_fault, index) => index % every === offset)
  }
  return Array.from({ length: Math.ceil(size.faults) }, () => choose(all, random))
}

/** Whether a scenario is not to run at all. */
export function isLeftOut(scenario: string): boolean {
  return repeated === undefined ? !isInSample(scenario) : !repeated.startsWith(`${scenario}/`)
}

function repeatedFault(scenario: string, name: string): Fault[] {
  const [kind, call, nth] = name.slice(scenario.length + 1).split('/')
  return [{ kind: kind as Kind, call: call!, nth: Number(nth) }]
}

function everyFault(calls: readonly Call[]): Fault[] {
  return [
    ...faultsOf(
      KINDS.filter((kind) => kind !== 'EINTR'),
      calls
    ),
    ...faultsOf(
      ['EINTR'],
      calls.filter(({ isOwn }) => isOwn)
    )
  ]
}

function faultsOf(kinds: readonly Kind[], calls: readonly Call[]): Fault[] {
  const seen = new Map<string, number>()
  return calls.flatMap(({ name }) => {
    const nth = (seen.get(name) ?? 0) + 1
    seen.set(name, nth)
    return kinds.filter((kind) => APPLIES[kind](name)).map((kind) => ({ kind, call: name, nth }))
  })
}

/** First a kind, then a call, then one of its places: what is rare is tried as often as what is frequent. */
function choose(all: readonly Fault[], random: () => number): Fault {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!
  const kind = pick([...new Set(all.map((fault) => fault.kind))])
  const ofKind = all.filter((fault) => fault.kind === kind)
  const call = pick([...new Set(ofKind.map((fault) => fault.call))])
  return pick(ofKind.filter((fault) => fault.call === call))
}
