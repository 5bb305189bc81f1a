/** Which files the links among a layout's blobs lead to; they must stay as long as the links do. */
import { readdirSync, statSync } from 'node:fs'
import { DIGEST_ALGORITHMS, isDigest } from '../image/digest.ts'

/**
 * Identities of the files that links lead to.
 * @param layout path of its directory
 */
export function linkedFiles(layout: string): Set<string> {
  return new Set(
    DIGEST_ALGORITHMS.flatMap((algorithm) => {
      const directory = `${layout}/blobs/${algorithm}`
      return namesOfLinks(directory)
        .filter((name) => isDigest(`${algorithm}:${name}`))
        .flatMap((name) => identity(`${directory}/${name}`) ?? [])
    })
  )
}

/** Undefined if the path leads nowhere. */
export function identity(path: string): string | undefined {
  const found = unlessMissing(() => statSync(path, { bigint: true }))
  return found === undefined ? undefined : `${found.dev}:${found.ino}`
}

function namesOfLinks(directory: string): string[] {
  const entries = unlessMissing(() => readdirSync(directory, { withFileTypes: true })) ?? []
  return entries.filter((entry) => entry.isSymbolicLink()).map(({ name }) => name)
}

function unlessMissing<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP') return undefined
    throw error
  }
}
