/** Ends a process and everything that it started: each hook leads a process group. */
import { readdirSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { readFile } from '../sys/read.ts'

/** The time between the signal that asks and the one that kills. */
const GRACE_MS = 2_000
const FIRST_LOOK_MS = 5

const running = new Set<number>()

/** Remembers a group until its leader has ended, so that it does not outlive this process. */
export function watchGroup(leader: number, ended: Promise<unknown>): void {
  if (running.size === 0) process.on('exit', killAll)
  running.add(leader)
  void ended.then(() => {
    running.delete(leader)
    if (running.size === 0) process.off('exit', killAll)
  })
}

/** Sends SIGTERM, and SIGKILL to processes that are left after two seconds. Resolves when the group is empty. */
export async function endGroup(leader: number): Promise<void> {
  signalGroup(leader, 'SIGTERM')
  if (await isGone(leader)) return
  signalGroup(leader, 'SIGKILL')
  await isGone(leader)
}

async function isGone(leader: number): Promise<boolean> {
  const end = performance.now() + GRACE_MS
  for (let wait = FIRST_LOOK_MS; signalGroup(leader, 0) && hasLiving(leader); wait *= 2) {
    const left = end - performance.now()
    if (left <= 0) return false
    await setTimeout(Math.min(wait, left))
  }
  return true
}

/** A dead process is a member until its parent waits for it, which init may do late or never. */
function hasLiving(leader: number): boolean {
  return readdirSync('/proc').some((name) => /^\d+$/.test(name) && isLiving(name, leader))
}

/** proc_pid_stat(5): the name in parentheses may contain anything; then come state, parent and process group. */
function isLiving(pid: string, leader: number): boolean {
  try {
    const stat = readFile(`/proc/${pid}/stat`).toString('latin1')
    const [state, , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return group === String(leader) && state !== 'Z' && state !== 'X'
  } catch {
    return false
  }
}

/** Whether a process could be signalled. ESRCH: there is none. EPERM: the processes now belong to another user. */
function signalGroup(leader: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-leader, signal)
  } catch {
    return false
  }
}

function killAll(): void {
  for (const leader of running) signalGroup(leader, 'SIGKILL')
}
