import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { recordMissing } from './run-record.ts'

const OLDEST_TYPESCRIPT = new URL('../types/node_modules/typescript', import.meta.url)
const reported = new Set<string>()

/**
 * Whether a test can run here. A name is a program in PATH, `root` (euid 0, and not only in a user namespace), `loop`
 * (loop devices), `mounts` (this process may mount), `overlay` or `erofs` (and the kernel has that file system), `x64`
 * (the processor) or `oldest-typescript` (test/types). Says once what is missing; throws instead where OCI_UNPACK_FORBID_SKIP=1, so that nothing is skipped unseen.
 */
export function needs(...names: string[]): boolean {
  const missing = names.filter((name) => !isThere(name))
  if (missing.length === 0) return true
  const reason = `not here: ${missing.join(', ')}`
  if (process.env.OCI_UNPACK_FORBID_SKIP === '1')
    throw new Error(`skipping is forbidden, but ${reason}`)
  if (!reported.has(reason)) console.warn(`skipped: ${reason}`)
  recordMissing(missing)
  reported.add(reason)
  return false
}

/** Whether there is time for tests that take minutes (OCI_UNPACK_LONG_TESTS=1, as CI has it). */
export function longTests(): boolean {
  return process.env.OCI_UNPACK_LONG_TESTS === '1'
}

function isThere(name: string): boolean {
  if (name === 'root') return process.geteuid?.() === 0 && isInitialNamespace()
  if (name === 'oldest-typescript') return existsSync(OLDEST_TYPESCRIPT)
  if (name === 'x64') return process.arch === 'x64'
  if (name === 'loop') return existsSync('/dev/loop-control')
  if (name === 'mounts') return mayMount()
  if (name === 'overlay' || name === 'erofs') return mayMount() && hasFileSystem(name)
  return (process.env.PATH ?? '').split(delimiter).some((folder) => isProgram(join(folder, name)))
}

function hasFileSystem(name: string): boolean {
  return read('/proc/filesystems')
    .split('\n')
    .some((line) => line.endsWith(`\t${name}`))
}

function isInitialNamespace(): boolean {
  return /^\s*0\s+0\s+4294967295\s*$/.test(read('/proc/self/uid_map'))
}

/** Root in a container often may not: CAP_SYS_ADMIN is bit 21. */
function mayMount(): boolean {
  if (!isInitialNamespace()) return false
  const capabilities = /^CapEff:\s*([0-9a-f]+)$/m.exec(read('/proc/self/status'))?.[1] ?? '0'
  return ((BigInt(`0x${capabilities}`) >> 21n) & 1n) === 1n
}

function read(path: string): string {
  return readFileSync(path, 'latin1')
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
