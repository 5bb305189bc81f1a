/** A hook that is a program, started for each call: JSON on standard input, facts in the environment. */
import { withFacts } from '../errors.ts'
import { unlessStopped } from './deadline.ts'
import { requestEnvironment } from './environment.ts'
import { endedBadly } from './failures.ts'
import type { HookKind, RawAnswer } from './hook-kind.ts'
import { startProgram, type Program, type RunningProgram } from './process.ts'
import { readOutput } from './program-output.ts'
import { requestLine, type HookRequest } from './request.ts'
import { StderrLog, type OnStderr } from './stderr-log.ts'

const DECLINE_STATUS = 10
/** sysexits.h EX_TEMPFAIL. */
const BUSY_STATUS = 75

export function programHook(program: Program, onStderr: OnStderr): HookKind {
  return {
    async ask(request, stop) {
      const environment = { ...program.environment, ...requestEnvironment(request) }
      const running = await startProgram({ ...program, environment })
      const log = new StderrLog(running.stderr, (text) => onStderr(text, request.point))
      try {
        const answer = await unlessStopped(stop, converse(running, request, log))
        await log.ended()
        return { ...answer, ...log.tail() }
      } catch (error) {
        await running.end()
        await log.ended()
        throw withFacts(error, log.tail())
      } finally {
        running.release()
      }
    },
    close: () => Promise.resolve()
  }
}

async function converse(
  running: RunningProgram,
  request: HookRequest,
  log: StderrLog
): Promise<RawAnswer> {
  running.stdin.end(requestLine(request))
  const fields = await readOutput(request.point, running.stdout)
  const exit = await running.exit
  if (exit.kind !== 'exited') throw endedBadly(exit, 'it was killed')
  switch (exit.status) {
    case 0:
      return { status: 'yes', fields: fields() }
    case DECLINE_STATUS:
      return { status: 'decline' }
    case BUSY_STATUS:
      return { status: 'busy' }
    default:
      await log.ended()
      throw endedBadly(exit, log.isEmpty() ? SILENT : 'it reported a failure')
  }
}

const SILENT = 'it reported a failure, and wrote nothing to standard error'
