/** Shows events of the library to people or programs, always on standard error. */
import type { EngineEvent, OnEvent } from '../../index.ts'
import type { Terminal } from '../command.ts'
import { errors } from '../streams.ts'
import { logEvent } from './log.ts'
import { PlainDisplay } from './plain.ts'
import { TtyDisplay } from './tty.ts'

interface Display {
  onEvent: OnEvent
  /** Called after a line of the log. */
  resume: () => void
  /** Leaves the terminal ready for a log line. */
  end: () => void
}

/** Shows the events of `act` until it ends. Before `act` prints anything on the terminal, it calls `clear`. */
export async function withEvents<T>(
  terminal: Terminal,
  act: (onEvent: OnEvent, clear: () => void) => Promise<T>
): Promise<T> {
  const display = showEvents(terminal)
  try {
    return await act(display.onEvent, display.end)
  } finally {
    display.end()
  }
}

function showEvents(terminal: Terminal): Display {
  const display = chooseDisplay(terminal)
  return {
    onEvent(event) {
      display.onEvent(event)
      // as JSON, all events are on standard error already
      if (terminal.progress !== 'json') logEvent(event, terminal.log)
      display.resume()
    },
    resume: () => display.resume(),
    end: () => display.end()
  }
}

function chooseDisplay(terminal: Terminal): Display {
  switch (terminal.progress) {
    case 'tty':
      return new TtyDisplay()
    case 'plain':
      return new PlainDisplay()
    case 'json':
      return { onEvent: writeJson, resume: nothing, end: nothing }
    case 'none':
      return { onEvent: nothing, resume: nothing, end: nothing }
  }
}

const nothing = (): void => undefined

/** One JSON object per line, the same as the library's event. */
function writeJson(event: EngineEvent): void {
  errors.write(`${JSON.stringify(event)}\n`)
}
