/** The home directory of the user. */
import { homedir } from 'node:os'

/** Undefined for a user who has none: HOME is unset, and no account names one. */
export function homeDirectory(): string | undefined {
  try {
    return homedir()
  } catch {
    return undefined
  }
}
