/** A record of every call of a hook. */
import { toErrorRecord } from '../errors.ts'
import type { ContextOf, HookOutcome, HookSet } from './calls.ts'
import { hookName, type HookPoint } from './points.ts'

/** One call, as it is written down. JSON can hold all of it. */
export interface TraceRecord {
  /** When it began, ISO 8601. */
  readonly time: string
  /** Name of the hook set. */
  readonly hooks: string
  readonly hook: string
  /** Without the documents: manifest, config and runtime configuration. */
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

/** The same set, which tells of each call when it is over. What `sink` throws comes out of the call. */
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

/** Lists of paths as their length, a configuration as whether there is one. */
function traced<P extends HookPoint>(outcome: HookOutcome<P>): TracedOutcome {
  if (outcome.status === 'decline') return outcome
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
