import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Runs with a new directory below OCI_UNPACK_TEST_TMP or the system's, and removes it whatever happens. */
export function withTemporary<T>(work: (directory: string) => T): T {
  const directory = mkdtempSync(join(process.env.OCI_UNPACK_TEST_TMP ?? tmpdir(), 'oci-unpack-'))
  let result: T
  try {
    result = work(directory)
  } catch (error) {
    remove(directory)
    throw error
  }
  if (!(result instanceof Promise)) {
    remove(directory)
    return result
  }
  return result.finally(() => remove(directory)) as T
}

function remove(directory: string): void {
  rmSync(directory, { recursive: true, force: true })
}
