/** A file with the id of this process, for programs that send it signals. */
import { linkSync, lstatSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { OciUnpackError } from '../errors.ts'

/**
 * Writes it for the duration of `act`. What exists is left alone, unless it is the file of a process that has ended.
 * @param path undefined for none @throws TARGET_INVALID, SYSCALL_FAILED
 */
export async function withPidFile<T>(path: string | undefined, act: () => Promise<T>): Promise<T> {
  if (path === undefined) return act()
  const content = `${process.pid}\n`
  removeStale(path)
  writeWhole(path, content)
  try {
    return await act()
  } finally {
    removeOwn(path, content)
  }
}

/** Whoever waits for the file finds it complete. */
function writeWhole(path: string, content: string): void {
  const unfinished = `${path}.${process.pid}`
  try {
    writeFileSync(unfinished, content, { flag: 'wx', mode: 0o644 })
    linkSync(unfinished, path)
  } catch (error) {
    throw cannotWrite(path, error)
  } finally {
    rmSync(unfinished, { force: true })
  }
}

function cannotWrite(path: string, cause: unknown): OciUnpackError {
  const { code } = cause as NodeJS.ErrnoException
  if (code === 'EEXIST')
    return new OciUnpackError('TARGET_INVALID', 'Something exists at the path of the PID file.', {
      facts: { path },
      hint: 'Choose another path. If it is a PID file, its process is still running.'
    })
  return new OciUnpackError('SYSCALL_FAILED', 'The PID file cannot be written.', {
    facts: { path, reason: code ?? '' },
    hint: 'Give a path in an existing directory that can be written to.',
    cause
  })
}

/** A file as this program writes it, whose process is gone, as after a kill. */
function removeStale(path: string): void {
  const status = lstatSync(path, { throwIfNoEntry: false })
  if (status?.isFile() !== true || status.size > MAX_BYTES) return
  const content = readFileSync(path, 'utf8')
  if (/^[1-9][0-9]*\n$/.test(content) && !isRunning(Number(content))) rmSync(path)
}

/** Of a number and a newline. */
const MAX_BYTES = 16

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

/** By now it may be that of another process. */
function removeOwn(path: string, content: string): void {
  try {
    if (readFileSync(path, 'utf8') === content) rmSync(path)
  } catch {
    // somebody else has removed it
  }
}
