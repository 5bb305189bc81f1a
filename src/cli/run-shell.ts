/** Runs a command of the operator with a shell, on the terminal of this process. */
import { spawn, type ChildProcess } from 'node:child_process'
import { isatty } from 'node:tty'
import { statusOf } from './exit-status.ts'

/** Between the signal that asks and the one that kills. */
const GRACE_MS = 2_000
const POLL_MS = 20

/**
 * The exit status of the command, 128 more than the number of the signal that ended it. If `signal` is aborted, the command
 * and all that it has started are ended.
 * @param variables more for its environment
 */
export async function runShell(
  command: string,
  variables: Readonly<Record<string, string>>,
  signal: AbortSignal
): Promise<number> {
  // in a session of its own it could not ask for a password; and there, the terminal signals all processes itself
  const isApart = !isatty(0)
  const child = spawn('/bin/sh', ['-c', command], {
    stdio: 'inherit',
    env: { ...process.env, ...variables },
    detached: isApart
  })
  const exit = exitOf(child)
  let stopping: Promise<void> | undefined
  const stop = (): void => void (stopping = end(child, isApart))
  if (signal.aborted) stop()
  signal.addEventListener('abort', stop)
  try {
    const status = await exit
    await stopping
    return status
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

function exitOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (status, by) => resolve(by === null ? (status ?? 1) : statusOf(by)))
  })
}

/** Resolves when the process, or its whole group, has ended or was killed. */
async function end(child: ChildProcess, isGroup: boolean): Promise<void> {
  if (child.pid === undefined) return
  const target = isGroup ? -child.pid : child.pid
  const isThere = (): boolean =>
    isGroup ? send(target, 0) : child.exitCode === null && child.signalCode === null
  const deadline = Date.now() + GRACE_MS
  send(target, 'SIGTERM')
  while (isThere()) {
    if (Date.now() > deadline) return void send(target, 'SIGKILL')
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

/** Whether anybody could get it. */
function send(target: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(target, signal)
  } catch {
    return false
  }
}
