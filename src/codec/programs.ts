/** Finding and describing external programs. */
import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'

/** A filter: compressed bytes on its standard input, plain ones on its standard output. */
export interface Program {
  /** Absolute. */
  readonly path: string
  readonly args: readonly string[]
}

/** The first executable file of that name in the absolute folders of a search path. */
export function findOnPath(name: string, searchPath: string | undefined): string | undefined {
  const folders = (searchPath ?? '').split(delimiter).filter(isAbsolute)
  return folders.map((folder) => executable(join(folder, name))).find((path) => path !== undefined)
}

/** The path itself if it is a file that may be run. */
export function executable(path: string): string | undefined {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile() ? path : undefined
  } catch {
    return undefined
  }
}

/** What programs learn of our environment. */
export function environment(): Record<string, string> {
  return process.env.PATH === undefined ? {} : { PATH: process.env.PATH }
}
