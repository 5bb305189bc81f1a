/**
 * Whether we are to outlive our terminal. A program that is started with SIGHUP ignored, as by nohup(1), is to leave it
 * so, but Node sets all signals back before anything of ours runs: what is left to see are the traces.
 */
import { readlinkSync } from 'node:fs'
import { readFile } from '../sys/read.ts'

export function hangupIsIgnored(): boolean {
  try {
    return isIgnoredBy('self') || isIgnoredBy(String(process.ppid)) || isInputOfNohup()
  } catch {
    return false // no /proc
  }
}

const SIGHUP_BIT = 1n

/** Who ignores it hands that on to all that it starts. */
function isIgnoredBy(process: string): boolean {
  const mask = field(`/proc/${process}/status`, /^SigIgn:\s*([0-9a-f]+)$/m)
  return (BigInt(`0x${mask}`) & SIGHUP_BIT) !== 0n
}

const O_ACCMODE = 3
const O_WRONLY = 1

/** nohup of the GNU project takes a terminal away by an input that can only be written to, which nothing else does. */
function isInputOfNohup(): boolean {
  const flags = parseInt(field('/proc/self/fdinfo/0', /^flags:\s*([0-7]+)$/m), 8)
  return (flags & O_ACCMODE) === O_WRONLY && readlinkSync('/proc/self/fd/0') === '/dev/null'
}

function field(file: string, pattern: RegExp): string {
  return pattern.exec(readFile(file).toString('latin1'))?.[1] ?? '0'
}
