/** The home directory of the user. */
import { homedir } from 'node:os'

/** Undefined if HOME is unset and no account gives a home directory. */
export function homeDirectory(): string | undefined {
  try {
    return homedir()
  } catch {
    return undefined
  }
}
