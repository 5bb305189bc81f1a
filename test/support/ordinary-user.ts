/** An account for tests of what ordinary users can do: made with `useradd` by root, and removed afterwards. */
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { appendFileSync, chmodSync, chownSync, readFileSync } from 'node:fs'
import { ok, run, type Run } from './run.ts'
import { makeTemporary, removeTemporary } from './temporary.ts'

export interface OrdinaryUser {
  name: string
  uid: number
  gid: number
  /** An empty directory of the user's own (mode 0700), removed with the user. It is also the temporary directory. */
  home: string
  /** The first of 65,536 subordinate user ids, and of as many group ids. */
  subuid: number
  subgid: number
  /** Runs a program to its end as the user, in `home`, with an environment of its own. Change it with `env A=b …`. */
  run: (program: string, ...args: string[]) => Run
  /** What starts a program in this way: for processes that a test starts itself. */
  command: (program: string, ...args: string[]) => [string, ...string[]]
}

const SUBUID = '/etc/subuid'
const SUBGID = '/etc/subgid'

/** Root and these programs are required: `needs(...USER_TOOLS)`. */
export const USER_TOOLS: readonly string[] = ['root', 'useradd', 'setpriv', 'newuidmap', 'unshare']

/** Runs with a new user who has 65,536 subordinate user and group ids, and removes everything whatever happens. */
export async function withUser<T>(work: (user: OrdinaryUser) => T | Promise<T>): Promise<T> {
  const user = makeUser()
  try {
    return await work(user)
  } finally {
    removeUser(user)
  }
}

/** For a user that several tests share; whoever asks removes it. */
export function makeUser(): OrdinaryUser {
  const home = makeTemporary()
  const name = `oci-unpack-${randomBytes(4).toString('hex')}`
  try {
    // useradd hands out subordinate ids only where these files exist
    for (const file of [SUBUID, SUBGID]) appendFileSync(file, '')
    ok(
      'useradd',
      '--user-group',
      '--no-create-home',
      '--home-dir',
      home,
      '--shell',
      '/bin/sh',
      name
    )
    const [uid, gid] = ['-u', '-g'].map((what) => Number(ok('id', what, name).stdout))
    chownSync(home, uid!, gid!)
    chmodSync(home, 0o700)
    const ids = { subuid: firstId(SUBUID, name), subgid: firstId(SUBGID, name) }
    return { name, uid: uid!, gid: gid!, home, ...ids, ...programsOf(name, home) }
  } catch (error) {
    removeUser({ name, home, uid: undefined })
    throw error
  }
}

interface Removed extends Pick<OrdinaryUser, 'name' | 'home'> {
  uid: number | undefined
}

/** What the program keeps for locks of this user's is removed too, since the next user may have the same id. */
export function removeUser({ name, home, uid }: Removed): void {
  spawnSync('userdel', ['--force', name])
  removeTemporary(home)
  if (uid !== undefined) removeTemporary(`/tmp/oci-unpack-${uid}`)
}

function firstId(file: string, name: string): number {
  const line = readFileSync(file, 'utf8').match(new RegExp(`^${name}:(\\d+):65536$`, 'm'))
  return Number(line?.[1])
}

function programsOf(name: string, home: string): Pick<OrdinaryUser, 'run' | 'command'> {
  const environment = [`HOME=${home}`, `TMPDIR=${home}`, `USER=${name}`, `LOGNAME=${name}`]
  const path = `PATH=${process.env.PATH ?? ''}`
  const become = ['--reuid', name, '--regid', name, '--init-groups']
  const command = (program: string, ...args: string[]): [string, ...string[]] => [
    'setpriv',
    ...become,
    'env',
    '-i',
    `--chdir=${home}`,
    path,
    ...environment,
    program,
    ...args
  ]
  return { command, run: (...it) => run(...command(...it)) }
}
