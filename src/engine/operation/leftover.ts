/** Reporting unfinished work that was removed. */
import type { OnLeftover } from '../../workspace/leftovers.ts'
import type { OnEvent } from './events.ts'

/** Tells of what was only removed. */
export function leftoverTo(onEvent: OnEvent): OnLeftover {
  return (path) => onEvent({ type: 'leftover', path, undone: false })
}
