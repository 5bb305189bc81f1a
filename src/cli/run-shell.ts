/** Runs a command of the operator with a shell, on the terminal of this process. */
import { spawn } from 'node:child_process'
import { statusOf } from './exit-status.ts'

/** Between the signal that asks and the one that kills. */
const GRACE_MS = 2_000

/**
 * The exit status of the command, 128 more than the number of the signal that ended it. If `signal` is aborted, the command
 * is ended.
 * @param variables more for its environment
 */
export function runShell(
  command: string,
  variables: Readonly<Record<string, string>>,
  signal: AbortSignal
): Promise<number> {
  const child = spawn('/bin/sh', ['-c', command], {
    stdio: 'inherit',
    env: { ...process.env, ...variables }
  })
  let timer: NodeJS.Timeout | undefined
  const stop = (): void => {
    child.kill('SIGTERM')
    timer = setTimeout(() => child.kill('SIGKILL'), GRACE_MS)
  }
  if (signal.aborted) stop()
  signal.addEventListener('abort', stop)
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (status, by) => resolve(by === null ? (status ?? 1) : statusOf(by)))
  })
  return ended.finally(() => {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
  })
}
