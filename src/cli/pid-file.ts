/** A file with the id of this process, for programs that send it signals. */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'

/** Writes it for the duration of `act`; what had its name before is replaced. @param path undefined for none */
export async function withPidFile<T>(path: string | undefined, act: () => Promise<T>): Promise<T> {
  if (path === undefined) return act()
  const content = `${process.pid}\n`
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
  writeFileSync(unfinished, content, { flag: 'wx', mode: 0o644 })
  try {
    renameSync(unfinished, path)
  } catch (error) {
    rmSync(unfinished, { force: true })
    throw error
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
