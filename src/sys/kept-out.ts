/**
 * Modes that keep even the owner out. They do not apply to a process that overrides modes, and only the owner of an
 * object can change its mode.
 */
import { privileges } from './privileges.ts'
import type { Status } from './status.ts'

/** What the owner of a directory needs to list it and to look at what is in it. */
export const TO_READ = 0o500
/** What the owner of a directory needs to change what is in it. */
export const TO_CHANGE = 0o700
/** What the owner of a file needs to read it. */
export const TO_READ_FILE = 0o400

/** Whether the mode of an object of ours keeps us from what we need. */
export function keepsUsOut({ uid, mode }: Pick<Status, 'uid' | 'mode'>, need: number): boolean {
  return (mode & need) !== need && uid === process.geteuid!() && !privileges().overridesModes
}
