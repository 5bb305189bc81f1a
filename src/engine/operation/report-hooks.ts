/** Reports the calls of hooks, which may take long. */
import type { HookSet } from '../../hooks/calls.ts'
import { hookName } from '../../hooks/points.ts'
import type { HookCallEvent, OnEvent } from './events.ts'

interface Reported {
  /** The same set, but each call is reported when it begins and when it has ended, whatever its outcome. */
  set: HookSet
  /** After a failure, other calls may end later than the operation. */
  stop: () => void
}

export function withReports(set: HookSet, onEvent: OnEvent): Reported {
  let isOver = false
  const report = (event: HookCallEvent): void => {
    if (!isOver) onEvent(event)
  }
  return {
    set: {
      ...set,
      async call(point, context, signal) {
        if (!set.points.has(point)) return set.call(point, context, signal)
        const layer = 'index' in context ? { layer: context.index } : {}
        const call = { type: 'hook', hooks: set.name, hook: hookName(point), ...layer } as const
        report({ ...call, state: 'begun' })
        try {
          return await set.call(point, context, signal)
        } finally {
          report({ ...call, state: 'ended' })
        }
      }
    },
    stop() {
      isOver = true
    }
  }
}
