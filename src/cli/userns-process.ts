/** A process in a new user namespace: started, given its ids, and followed until it ends. */
import { spawn, type ChildProcess } from 'node:child_process'
import type { Socket } from 'node:net'
import { MADE_NAMESPACE } from '../sys/user-namespace.ts'
import { statusOf } from './exit-status.ts'
import { forwardSignals } from './signals.ts'
import { confined, mapRefused, namespaceRefused, programMissing } from './userns-errors.ts'
import { runProgram } from './userns-programs.ts'
import { content } from './userns-ranges.ts'

/** Arguments of newuidmap and newgidmap after the process. */
export interface IdMaps {
  uids: readonly number[]
  gids: readonly number[]
}

/**
 * Descriptor 3 says that the namespace exists, and waits until it has its ids; if this process dies before, it ends.
 * What comes before the program fails on a pipe of ours. As uid 0 of the namespace, exec gives the program its privileges.
 */
const WAIT =
  `${MADE_NAMESPACE}="$(readlink /proc/self/ns/user) $PPID"; export ${MADE_NAMESPACE}; ` +
  'echo made >&3; read -r _ <&3 || exit 1; exec "$@" 2>&4 3>&- 4>&-'

const STDERR = 2

/** The exit status of the program. If a signal ended it, the same signal ends this process. @throws USERNS_UNAVAILABLE */
export async function runInNamespace(program: readonly string[], ids: IdMaps): Promise<number> {
  const child = spawn('unshare', ['-U', 'sh', '-c', WAIT, 'sh', ...program], {
    stdio: ['inherit', 'inherit', 'pipe', 'pipe', STDERR]
  })
  const ended = endOf(child)
  const gate = child.stdio[3] as Socket
  try {
    await made(child, gate)
    await giveIds(child.pid!, ids)
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
  forwardSignals((signal) => child.kill(signal))
  gate.end('go\n')
  const { status, signal } = await ended
  return signal === null ? (status ?? 1) : endBy(signal)
}

interface End {
  status: number | null
  signal: NodeJS.Signals | null
}

function endOf(child: ChildProcess): Promise<End> {
  return new Promise((resolve) => {
    child.on('exit', (status, signal) => resolve({ status, signal }))
  })
}

/** Resolves when the namespace exists. */
function made(child: ChildProcess, gate: Socket): Promise<void> {
  let stderr = ''
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  return new Promise((resolve, reject) => {
    gate.on('error', () => undefined) // the end of the process says more
    gate.once('data', () => resolve())
    child.once('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'ENOENT' ? programMissing('unshare') : error)
    )
    child.once('close', () => reject(namespaceRefused(stderr.trim())))
  })
}

async function giveIds(pid: number, { uids, gids }: IdMaps): Promise<void> {
  const profile = content(`/proc/${pid}/attr/current`)
  if (profile.startsWith('unprivileged_userns')) throw confined(profile)
  await giveMap('newuidmap', pid, uids)
  await giveMap('newgidmap', pid, gids)
}

async function giveMap(program: string, pid: number, map: readonly number[]): Promise<void> {
  const args = [pid, ...map].map(String)
  const outcome = await runProgram(program, args)
  if (outcome.status === undefined) throw programMissing(program)
  if (outcome.status !== 0) throw mapRefused(program, args, outcome)
}

/** Only a signal that cannot end this process returns. */
function endBy(signal: NodeJS.Signals): number {
  process.removeAllListeners(signal)
  process.kill(process.pid, signal)
  return statusOf(signal)
}
