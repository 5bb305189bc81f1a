import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Runs with a new directory and removes it whatever happens. */
export function withTemporary<T>(work: (directory: string) => T): T {
  const directory = makeTemporary()
  try {
    return work(directory)
  } finally {
    removeTemporary(directory)
  }
}

/** A new directory below OCI_UNPACK_TEST_TMP or the system's; whoever asks removes it. */
export function makeTemporary(): string {
  return mkdtempSync(join(process.env.OCI_UNPACK_TEST_TMP ?? tmpdir(), 'oci-unpack-'))
}

export function removeTemporary(directory: string): void {
  rmSync(directory, { recursive: true, force: true })
}
