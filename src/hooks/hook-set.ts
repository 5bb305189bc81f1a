/** The steps of a call, for all kinds of hooks: ask, ask again while busy, judge the answer, say who failed. */
import { setTimeout } from 'node:timers/promises'
import { OciUnpackError, withFacts, type Facts } from '../errors.ts'
import { mayDecline, readAnswer } from './answer.ts'
import {
  said,
  type ContextOf,
  type ExtractMode,
  type Holds,
  type HookOutcome,
  type HookSet,
  type Said
} from './calls.ts'
import { unlessStopped, withDeadline } from './deadline.ts'
import { answerInvalid, busyTooLong } from './failures.ts'
import { LATE_STDERR_MS, type HookKind, type RawAnswer } from './hook-kind.ts'
import type { Owner } from './owner.ts'
import { hookName, type HookPoint } from './points.ts'
import type { HookRequest } from './request.ts'

/** What a set consists of, besides its hooks. */
export type HookSettings = Pick<
  HookSet,
  'name' | 'extract' | 'whiteouts' | 'rootless' | 'manifest' | 'deltaFallback' | keyof Holds
>

interface Hook {
  readonly kind: HookKind
  /** Milliseconds. */
  readonly timeout: number
}

/** A hook that has been busy twice, and is called again for as long as its time-out says. */
export interface BusyHook extends Said {
  /** The name of the hook set. */
  readonly hooks: string
  readonly hook: string
  /** Milliseconds, from the first call on. */
  readonly timeout: number
}

export type OnBusy = (busy: BusyHook) => void

const FIRST_WAIT_MS = 100
const SECOND_WAIT_MS = 2 * FIRST_WAIT_MS
const LONGEST_WAIT_MS = 5_000

/** @param owner closed with the set @param onBusy called at most once for a call */
export function hookSet(
  settings: HookSettings,
  hooks: ReadonlyMap<HookPoint, Hook>,
  owner: Owner,
  onBusy: OnBusy = () => undefined
): HookSet {
  return {
    ...settings,
    owner,
    points: new Set(hooks.keys()),
    async call(point, context, signal) {
      const hook = hooks.get(point)
      if (hook === undefined) return { status: 'decline' }
      try {
        return await ask(hook, { ...settings, onBusy }, point, context, signal)
      } catch (error) {
        throw withFacts(error, factsOf(settings, point, context))
      }
    },
    async close() {
      const kinds = new Set([...hooks.values()].map(({ kind }) => kind))
      await Promise.all([...kinds].map((kind) => kind.close()))
      owner.close()
    }
  }
}

async function ask<P extends HookPoint>(
  { kind, timeout }: Hook,
  { name, extract, onBusy }: HookSettings & { onBusy: OnBusy },
  point: P,
  context: ContextOf<P>,
  signal: AbortSignal | undefined
): Promise<HookOutcome<P>> {
  const request = { point, context } as HookRequest
  const answer = await withDeadline(timeout, signal, (stop) =>
    untilNotBusy(
      { timeout, used: hookName(point).startsWith('bundle.') ? 'The bundle' : 'The storage' },
      stop,
      () => kind.ask(request, stop),
      (busy) => onBusy({ hooks: name, hook: hookName(point), timeout, ...said(busy) })
    )
  )
  try {
    return judge(point, extract, context, answer)
  } catch (error) {
    await setTimeout(LATE_STDERR_MS)
    throw withFacts(error, said(answer))
  }
}

function judge<P extends HookPoint>(
  point: P,
  extract: ExtractMode,
  context: ContextOf<P>,
  answer: NotBusy
): HookOutcome<P> {
  if (answer.status === 'yes') {
    const read = readAnswer(point, { extract, context }, answer.fields)
    return { status: 'yes', answer: read, ...said(answer) }
  }
  if (mayDecline(point, extract)) return answer
  throw answerInvalid(`it declined, which is not allowed with extract = "${extract}"`)
}

type NotBusy = Exclude<RawAnswer, { status: 'busy' }>

async function untilNotBusy(
  { timeout, used }: { timeout: number; used: string },
  stop: AbortSignal,
  question: () => Promise<RawAnswer>,
  report: (busy: Said) => void
): Promise<NotBusy> {
  const end = performance.now() + timeout
  const tooLong = (reason: string, busy: Said): unknown =>
    withFacts(busyTooLong(reason, used, timeout), said(busy))
  let last: Said | undefined
  for (let wait = FIRST_WAIT_MS; ; wait = Math.min(2 * wait, LONGEST_WAIT_MS)) {
    const answer = await question().catch((error: unknown) => {
      throw last === undefined || !isTimeout(error)
        ? error
        : tooLong('it was busy, and did not answer when it was asked again', last)
    })
    if (answer.status !== 'busy') return answer
    last = answer
    if (wait === SECOND_WAIT_MS) report(answer)
    if (performance.now() + wait >= end) throw tooLong('it was busy the whole time', answer)
    await unlessStopped(stop, setTimeout(wait))
  }
}

function isTimeout(error: unknown): boolean {
  return error instanceof OciUnpackError && error.code === 'HOOK_TIMEOUT'
}

function factsOf<P extends HookPoint>(
  { name }: HookSettings,
  point: P,
  context: ContextOf<P>
): Facts {
  const layer = 'digest' in context ? { layer: `${context.index + 1} (${context.digest})` } : {}
  return { hooks: name, hook: hookName(point), ...layer }
}
