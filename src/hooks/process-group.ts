/** Ending a process and all that it started: a hook leads a group of its own. */
import { readdirSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { readFile } from '../sys/read.ts'

/** Between the signal that asks and the one that does not. */
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

/** SIGTERM, and SIGKILL for what is left after two seconds. Resolves when nothing of the group is left. */
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

/** Dead processes count as members until they are waited for, which init may do late or never. */
function hasLiving(leader: number): boolean {
  return readdirSync('/proc').some((name) => /^\d+$/.test(name) && isLiving(name, leader))
}

/** proc_pid_stat(5): the name in parentheses may hold anything; then state, parent and process group. */
function isLiving(pid: string, leader: number): boolean {
  try {
    const stat = readFile(`/proc/${pid}/stat`).toString('latin1')
    const [state, , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return group === String(leader) && state !== 'Z' && state !== 'X'
  } catch {
    return false
  }
}

/** Whether there was anybody to signal: ESRCH says no; EPERM that they became somebody else's. */
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
