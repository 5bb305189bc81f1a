/** Events as lines of the log. */
import { display, fromText } from '../../bytes.ts'
import type { Facts } from '../../errors.ts'
import type { EngineEvent, OnEvent } from '../../index.ts'
import type { Logger, Terminal } from '../command.ts'
import { formatFacts } from '../facts.ts'

/** For commands that show no progress. */
export function warningsOf({ log }: Terminal): OnEvent {
  return (event) => logEvent(event, log)
}

export function logEvent(event: EngineEvent, log: Logger): void {
  switch (event.type) {
    case 'image':
      log.write('info', `${event.image} is ${event.manifest}, ${event.layers.length} layers`)
      return
    case 'layer':
      log.write('info', `layer ${event.layer + 1} is verified`)
      return
    case 'phase':
      log.write('info', event.phase)
      return
    case 'hook-log':
      log.write(
        'info',
        `${event.hooks}${event.hook === undefined ? '' : ` ${event.hook}`}: ${event.text}`
      )
      return
    case 'warning':
      log.write('warn', withFacts(event))
      return
    case 'choice':
      log.write('debug', withFacts(event))
      return
    case 'leftover':
      log.write('info', leftover(event.path, event.undone))
      return
    case 'changes':
      log.write('info', `${event.count} paths changed`)
      return
    case 'merge':
      log.write('info', `${event.kept.length} changes kept, ${event.conflicts.length} conflicts`)
      return
    case 'blob':
      log.write('info', `${event.digest} is ${event.outcome} (${event.size} bytes)`)
      return
    case 'retry':
      log.write('warn', retry(event))
      return
    case 'hook':
    case 'packed':
    case 'progress':
    case 'transfer':
  }
}

function withFacts({ message, facts }: { message: string; facts: Facts }): string {
  const shown = formatFacts(facts)
  return shown.length === 0 ? message : `${message} (${shown.join('; ')})`
}

function retry({ host, what, reason, delayMs }: Extract<EngineEvent, { type: 'retry' }>): string {
  const about = display(fromText(`${host}: ${what}: ${reason}`))
  return `${about}; trying again in ${(delayMs / 1000).toFixed(1)} s`
}

export function leftover(path: string, undone: boolean): string {
  const removed = `removed ${path}, which a process left behind when it died`
  return undone ? `undid its changes, and ${removed}` : removed
}
