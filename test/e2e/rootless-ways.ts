/** The ways to work without root's privileges, as a table for tests, and a bundle made in one of them. */
import { ok, run, type Run } from '../support/run.ts'
import type { OrdinaryUser } from '../support/ordinary-user.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { ociUnpackCommand } from './cli.ts'

export interface Way {
  name: string
  /** Flags of the commands that have `--rootless`. */
  flags: readonly string[]
  /** Flags of the program. */
  globalFlags: readonly string[]
  /** What stands for an owner on disk: the attribute, or the owner in the namespace. */
  owners: 'attribute' | 'real'
  /** Whose the layout and the bundle's place are, for chown. */
  owner: (user: OrdinaryUser) => string
  /** Mode of the directory in which the bundle is made. */
  directoryMode?: string
  /** How the built program is started. */
  program: Start
  /** How somebody is started who edits the bundle. */
  editor: Start
}

type Start = (user: OrdinaryUser, ...command: [string, ...string[]]) => [string, ...string[]]

const asRoot: Start = (_user, ...command) => command
const asUser: Start = (user, ...command) => user.command(...command)
const withOneId: Start = (user, ...command) => user.command('unshare', '-r', ...command)
const withManyIds: Start = (user, ...command) =>
  user.command('unshare', '-r', '--map-auto', ...command)

/** As containers of OpenShift are started: no account, no home, and the group of root. New files are for themselves. */
const asNobodyKnown: Start = (_user, ...command) => [
  ...(['setpriv', '--reuid', '1000680000', '--regid', '0', '--clear-groups'] as const),
  ...['env', '-i', '--chdir=/', 'PATH=/usr/bin:/bin', 'sh', '-c', 'umask 077; exec "$0" "$@"'],
  ...command
]

const usersOwn = ({ uid, gid }: OrdinaryUser): string => `${uid}:${gid}`
const rootsOwn = (): string => '0:0'

const ROOTLESS = { flags: ['--rootless'], globalFlags: [], owners: 'attribute' } as const
const MANY_IDS = { flags: [], owners: 'real', owner: usersOwn, editor: withManyIds } as const

export const WAYS: readonly Way[] = [
  {
    name: 'root with --rootless',
    ...ROOTLESS,
    owner: rootsOwn,
    program: asRoot,
    editor: asRoot
  },
  {
    name: 'a user with --rootless',
    ...ROOTLESS,
    owner: usersOwn,
    program: asUser,
    editor: asUser
  },
  {
    name: 'a number without an account with --rootless',
    ...ROOTLESS,
    owner: () => '1000680000:0',
    program: asNobodyKnown,
    editor: asNobodyKnown
  },
  {
    name: "a user with --rootless in another group's directory",
    ...ROOTLESS,
    owner: ({ uid }) => `${uid}:50`,
    directoryMode: '2777',
    program: asUser,
    editor: asUser
  },
  {
    name: 'the root of a namespace of one id with --rootless',
    ...ROOTLESS,
    owner: usersOwn,
    program: withOneId,
    editor: withOneId
  },
  {
    name: 'the root of a namespace of many ids',
    ...MANY_IDS,
    globalFlags: [],
    program: withManyIds
  },
  { name: 'a user with --userns', ...MANY_IDS, globalFlags: ['--userns'], program: asUser }
]

/** What the other ways are compared with. */
export const PLAIN_ROOT: Way = {
  name: 'root',
  flags: [],
  globalFlags: [],
  owners: 'real',
  owner: rootsOwn,
  program: asRoot,
  editor: asRoot
}

/** A directory for what one way makes, with a copy of a layout. */
export class WayBox {
  readonly directory: string
  readonly layout: string
  readonly bundle: string
  private readonly way: Way
  private readonly user: OrdinaryUser

  /** @param layout is copied */
  constructor(way: Way, user: OrdinaryUser, layout: string) {
    this.way = way
    this.user = user
    this.directory = makeTemporary()
    this.layout = `${this.directory}/layout`
    this.bundle = `${this.directory}/bundle`
    ok('cp', '-r', layout, this.layout)
    ok('chown', '-R', way.owner(user), this.directory)
    ok('chmod', way.directoryMode ?? '700', this.directory)
  }

  remove(): void {
    removeTemporary(this.directory)
  }

  /** Runs the built program in this way. */
  run(...args: string[]): Run {
    const { program, globalFlags } = this.way
    return run(...program(this.user, ...ociUnpackCommand, ...globalFlags, ...args))
  }

  runOk(...args: string[]): Run {
    const { program, globalFlags } = this.way
    return ok(...program(this.user, ...ociUnpackCommand, ...globalFlags, ...args))
  }

  /** Unpacks a tag of the layout into the bundle. */
  unpack(tag: string): Run {
    return this.runOk('unpack', ...this.way.flags, '--image', `${this.layout}:${tag}`, this.bundle)
  }

  /** Runs a shell script in a directory. It can call `own FILE UID GID ATTRIBUTE`. */
  edit(directory: string, script: string): void {
    const text = `${OWN[this.way.owners]}\numask 022; cd "$0"\n${script}`
    ok(...this.way.editor(this.user, 'sh', '-euc', text, directory))
  }
}

const OWN = {
  real: 'own() { chown -h "$2:$3" "$1"; }',
  attribute: 'own() { setfattr -n user.rootlesscontainers -v "$4" "$1"; }'
} as const
