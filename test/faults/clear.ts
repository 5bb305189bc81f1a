/** Ends and unmounts what a run left, so that its directory can be removed. */
import { ok, run } from '../support/run.ts'
import { mountsBelow, processesIn } from './observe.ts'

/** Processes, mounts, and subvolumes, which rm cannot remove. */
export function clear(path: string): void {
  for (const line of processesIn(path)) kill(Number(line.split(' ')[0]))
  for (const mount of mountsBelow(path).toReversed()) ok('umount', '-l', mount)
  if (run('stat', '-f', '-c', '%T', path).stdout !== 'btrfs\n') return
  const found = ok('find', path, '-depth', '-inum', '256', '-type', 'd').stdout
  for (const subvolume of found.split('\n').filter(Boolean))
    ok('btrfs', 'subvolume', 'delete', subvolume)
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // it has ended by itself
  }
}
