/** Finds and describes external programs. */
import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'

/** A filter, which reads standard input and writes standard output. */
export interface Program {
  /** Absolute. */
  readonly path: string
  readonly args: readonly string[]
}

/** The first executable file with that name in the absolute directories of a search path. */
export function findOnPath(name: string, searchPath: string | undefined): string | undefined {
  const folders = (searchPath ?? '').split(delimiter).filter(isAbsolute)
  return folders.map((folder) => executable(join(folder, name))).find((path) => path !== undefined)
}

/** The path itself if it is an executable file. */
export function executable(path: string): string | undefined {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile() ? path : undefined
  } catch {
    return undefined
  }
}

/** The part of our environment that programs get. */
export function environment(): Record<string, string> {
  return process.env.PATH === undefined ? {} : { PATH: process.env.PATH }
}
