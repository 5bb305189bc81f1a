/** Extracts information from a list of calls. */
import { hookName, type HookPoint } from '../hooks/points.ts'
import type { TraceRecord } from '../hooks/trace.ts'

/** The calls of one point. */
export function callsOf(calls: readonly TraceRecord[], point: HookPoint): TraceRecord[] {
  return calls.filter(({ hook }) => hook === hookName(point))
}

/** Indexes of the layers that a point was asked about, in ascending order. */
export function layersOf(calls: readonly TraceRecord[], point: HookPoint): number[] {
  return [...new Set(callsOf(calls, point).map(layerOf))].sort((a, b) => a - b)
}

export function layerOf({ context }: TraceRecord): number {
  return context.index as number
}

/** The target of a good answer. */
export function targetOf({ outcome }: TraceRecord): string | undefined {
  return outcome.status === 'yes' ? (outcome.answer.target as string | undefined) : undefined
}

/** A call and its answer in a sentence. */
export function describeCall(call: TraceRecord): string {
  const { hook, context, outcome } = call
  const key = fact(call, 'chainId', (id) => ` (key ${id})`)
  const layer = context.index === undefined ? '' : ` for layer ${layerOf(call)}${key}`
  const given = fact(call, 'target', (path) => ` with the target ${path}`)
  switch (outcome.status) {
    case 'yes':
      return `${hook}${layer}${given}, which answered yes ${JSON.stringify(outcome.answer)}`
    case 'decline':
      return `${hook}${layer}${given}, which declined`
    case 'failed':
      return `${hook}${layer}${given}, which failed`
  }
}

function fact({ context }: TraceRecord, name: string, show: (text: string) => string): string {
  const value = context[name]
  return typeof value === 'string' ? show(value) : ''
}
