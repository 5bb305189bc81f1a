/** A record of every call of a hook. */
import { toErrorRecord } from '../errors.ts'
import type { ContextOf, HookOutcome, HookSet } from './calls.ts'
import { hookName, type HookPoint } from './points.ts'

/** The record of one call; all of it fits into JSON. */
export interface TraceRecord {
  /** When the call began, ISO 8601. */
  readonly time: string
  /** The name of the hook set. */
  readonly hooks: string
  readonly hook: string
  /** Without the documents (manifest, config and runtime configuration). */
  readonly context: Readonly<Record<string, unknown>>
  readonly outcome: TracedOutcome
  readonly milliseconds: number
}

export type TracedOutcome =
  | { readonly status: 'yes'; readonly answer: Readonly<Record<string, unknown>> }
  | { readonly status: 'decline' }
  | {
      readonly status: 'failed'
      readonly code: string
      readonly message: string
      readonly facts: Readonly<Record<string, unknown>>
    }

/** The same set, but each call is reported to `sink` when it has ended. If `sink` throws, the call throws. */
export function withTrace(set: HookSet, sink: (record: TraceRecord) => void): HookSet {
  return {
    ...set,
    async call(point, context, signal) {
      if (!set.points.has(point)) return set.call(point, context, signal)
      const call = startTrace(set, point, context)
      let outcome
      try {
        outcome = await set.call(point, context, signal)
      } catch (error) {
        sink(call(failed(error)))
        throw error
      }
      sink(call(traced(outcome)))
      return outcome
    }
  }
}

function startTrace<P extends HookPoint>(
  set: HookSet,
  point: P,
  context: ContextOf<P>
): (outcome: TracedOutcome) => TraceRecord {
  const time = new Date().toISOString()
  const start = performance.now()
  return (outcome) => ({
    time,
    hooks: set.name,
    hook: hookName(point),
    context: withoutDocuments(context),
    outcome,
    milliseconds: Math.round((performance.now() - start) * 1000) / 1000
  })
}

const DOCUMENTS = ['manifest', 'config', 'runtimeConfig']

function withoutDocuments(context: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(context).filter(([key]) => !DOCUMENTS.includes(key)))
}

/** Shows lists of paths by their length, and only whether there is a configuration. */
function traced<P extends HookPoint>(outcome: HookOutcome<P>): TracedOutcome {
  if (outcome.status === 'decline') return { status: 'decline' }
  const answer: object = outcome.answer
  if ('paths' in answer) {
    const { entries, trees } = (outcome as HookOutcome<'delta-list'> & { status: 'yes' }).answer
      .paths
    return { status: 'yes', answer: { paths: { entries: entries.size, trees: trees.size } } }
  }
  if ('layers' in answer && answer.layers instanceof Map)
    return { status: 'yes', answer: { layers: Object.fromEntries(answer.layers) } }
  return { status: 'yes', answer: 'config' in answer ? { config: true } : { ...answer } }
}

function failed(error: unknown): TracedOutcome {
  const { code, message, facts } = toErrorRecord(error)
  return { status: 'failed', code: code ?? 'defect', message, facts }
}
