/** A hook that is a function of the program that uses the library. */
import { fromBuffer } from '../bytes.ts'
import type { AnswerFields } from './answer.ts'
import { ChangedPathsBuilder } from './changed-paths.ts'
import { unlessStopped } from './deadline.ts'
import { answerInvalid, hookFailed } from './failures.ts'
import type { HookKind, RawAnswer } from './hook-kind.ts'
import type { Owner } from './owner.ts'
import { HOOK_POINTS, type HookMember, type HookPoint } from './points.ts'
import type { FunctionCall, UnpackHooks } from './unpack-hooks.ts'

type AnyFunction = (context: unknown, call: FunctionCall) => unknown

/** Asking a point that has no function is a bug of the caller. */
export function functionHook(hooks: UnpackHooks, owner: Owner): HookKind {
  const functions = hooks as Readonly<Record<HookMember, AnyFunction>>
  return {
    async ask({ point, context }, signal) {
      const about = {
        signal,
        get lockFd() {
          return owner.fd
        }
      }
      const call = () => functions[HOOK_POINTS[point].member](context, about)
      const value = await unlessStopped(signal, hookFailure(signal, call))
      if (point === 'delta-list' && isIterable(value))
        return {
          status: 'yes',
          fields: { paths: await unlessStopped(signal, collect(value, signal)) }
        }
      return toAnswer(point, value)
    },
    close: () => Promise.resolve()
  }
}

async function collect(
  paths: Iterable<unknown> | AsyncIterable<unknown>,
  signal: AbortSignal
): Promise<ChangedPathsBuilder> {
  const changed = new ChangedPathsBuilder()
  const source = readAll(paths)
  for (;;) {
    const next = await hookFailure(signal, () => source.next())
    if (next.done === true) return changed
    if (typeof next.value === 'string') changed.addText(next.value)
    else if (next.value instanceof Uint8Array) changed.add(fromBuffer(next.value))
    else throw answerInvalid('its list contains something that is neither text nor bytes')
  }
}

async function* readAll(
  paths: Iterable<unknown> | AsyncIterable<unknown>
): AsyncGenerator<unknown, undefined> {
  yield* paths
}

function toAnswer(point: HookPoint, value: unknown): RawAnswer {
  if (value === 'decline' || value === 'busy') return { status: value }
  if (value === 'skip' && point === 'try-skip') return { status: 'yes', fields: {} }
  if (value === undefined && point !== 'try-skip' && point !== 'delta-list')
    return { status: 'yes', fields: {} }
  if (typeof value === 'object' && value !== null)
    return { status: 'yes', fields: value as AnswerFields }
  throw answerInvalid('the function returned something that is not an answer', {
    found: String(value)
  })
}

/** Turns whatever a function throws into a failure, or into the signal's reason if it was told to stop. */
async function hookFailure<T>(signal: AbortSignal, work: () => T): Promise<Awaited<T>> {
  try {
    return await work()
  } catch (cause) {
    if (signal.aborted) throw signal.reason
    throw hookFailed(cause instanceof Error ? cause.message : String(cause), { cause })
  }
}

function isIterable(value: unknown): value is Iterable<unknown> | AsyncIterable<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    (Symbol.iterator in value || Symbol.asyncIterator in value)
  )
}
