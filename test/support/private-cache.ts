/** What the program keeps in the user's cache goes to a directory of the test run. */
import { makeTemporary, removeTemporary } from './temporary.ts'

export function setup(): () => void {
  const directory = makeTemporary()
  process.env.XDG_CACHE_HOME = directory
  return () => removeTemporary(directory)
}
