/** Reporting unfinished work that was removed. */
import type { OnLeftover } from '../../workspace/leftovers.ts'
import type { OnEvent } from './events.ts'

/** Reports leftovers that were removed with nothing else to undo. */
export function leftoverTo(onEvent: OnEvent): OnLeftover {
  return (path) => onEvent({ type: 'leftover', path, undone: false })
}
