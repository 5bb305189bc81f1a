/** A call on its way to a hook: as JSON for programs. */
import { stringifyJson } from '../image/go-json.ts'
import type { Json } from '../image/json.ts'
import type { ContextOf } from './calls.ts'
import { hookName, type HookPoint } from './points.ts'

/** Raised when a program written for the old contract would do harm under a new one. */
export const PROTOCOL = 1

/** A point with its context. */
export type HookRequest = { [P in HookPoint]: { point: P; context: ContextOf<P> } }[HookPoint]

/** One line of UTF-8 with its newline. Whole numbers are exact, whatever their size. `id` is for sessions. */
export function requestLine({ point, context }: HookRequest, id?: number): Buffer {
  const key = keyOf(context)
  const request = {
    ...(id === undefined ? {} : { id }),
    protocol: PROTOCOL,
    hook: hookName(point),
    ...context,
    ...(key === undefined ? {} : { key })
  }
  return stringifyJson(request as unknown as Json, { kind: 'any' })
}

/** The key under which hooks store a layer: its chain ID. */
export function keyOf(context: HookRequest['context']): string | undefined {
  return 'chainId' in context ? context.chainId : undefined
}
