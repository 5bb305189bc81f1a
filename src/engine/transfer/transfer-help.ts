/** What those who write images get from the operation that they are a part of. */
import type { RegistrySettings } from '../../registry/registry.ts'
import type { TransferHelp } from '../../transports/transport.ts'
import { heedSignals, pause } from '../operation/abort.ts'
import type { OnEvent } from '../operation/events.ts'

export interface TransferOptions {
  /** Of the destination. */
  registry?: RegistrySettings | undefined
  signal?: AbortSignal | undefined
  onEvent?: OnEvent | undefined
}

export function transferHelp({ registry, signal, onEvent }: TransferOptions): TransferHelp {
  return {
    breathe: () => heedSignals(signal),
    wait: () => pause(signal),
    registry,
    signal,
    onEvent: onEvent ?? (() => undefined)
  }
}
