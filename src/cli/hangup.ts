/**
 * Whether the program should outlive its terminal. A program that is started with SIGHUP ignored, as by nohup(1),
 * should keep ignoring it. But Node resets all signals before any of our code runs, so only traces are left to look
 * for.
 */
import { readlinkSync } from 'node:fs'
import { readFile } from '../sys/read.ts'
import { MADE_NAMESPACE } from '../sys/user-namespace.ts'

export function hangupIsIgnored(): boolean {
  try {
    return ['self', ...starters()].some(isIgnoredBy) || isInputOfNohup()
  } catch {
    return false // no /proc
  }
}

/** The parent; in a namespace that was made for this program (--userns), that is this program again, so also its own. */
function starters(): string[] {
  const parent = String(process.ppid)
  if (process.env[MADE_NAMESPACE] === undefined) return [parent]
  return [parent, field(`/proc/${parent}/status`, /^PPid:\s*(\d+)$/m)]
}

const SIGHUP_BIT = 1n

/** A process that ignores a signal passes that on to everything it starts. */
function isIgnoredBy(process: string): boolean {
  const mask = field(`/proc/${process}/status`, /^SigIgn:\s*([0-9a-f]+)$/m)
  return (BigInt(`0x${mask}`) & SIGHUP_BIT) !== 0n
}

const O_ACCMODE = 3
const O_WRONLY = 1

/** If the input is a terminal, GNU nohup replaces it by a descriptor that can only be written to. Nothing else does that. */
function isInputOfNohup(): boolean {
  const flags = parseInt(field('/proc/self/fdinfo/0', /^flags:\s*([0-7]+)$/m), 8)
  return (flags & O_ACCMODE) === O_WRONLY && readlinkSync('/proc/self/fd/0') === '/dev/null'
}

function field(file: string, pattern: RegExp): string {
  return pattern.exec(readFile(file).toString('latin1'))?.[1] ?? '0'
}
