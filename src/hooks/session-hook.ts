/**
 * A hook that is one process for many calls. The first call starts it, and a later call starts it again if it has
 * ended.
 */
import { Conversation } from './conversation.ts'
import type { HookKind } from './hook-kind.ts'
import { startProgram, type Program } from './process.ts'
import { StderrLog, type OnStderr } from './stderr-log.ts'

export function sessionHook(program: Program, onStderr: OnStderr): HookKind {
  let current: Promise<Conversation> | undefined

  async function start(): Promise<Conversation> {
    const running = await startProgram(program)
    const log = new StderrLog(running.stderr, (text) => onStderr(text, undefined))
    return new Conversation(running, log, () => {
      current = undefined
    })
  }

  return {
    ask: async (request, stop) => (await (current ??= start())).ask(request, stop),
    close: async () => (await current)?.close()
  }
}
