/** Ending a process and all that it started: a hook leads a group of its own. */
import { setTimeout } from 'node:timers/promises'

/** Between the signal that asks and the one that does not. */
const GRACE_MS = 2_000
const LOOK_MS = 10

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
  while (signalGroup(leader, 0)) {
    if (performance.now() > end) return false
    await setTimeout(LOOK_MS)
  }
  return true
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
