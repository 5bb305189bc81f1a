/** The parts of a progress display as text. */
import { display, fromText } from '../../bytes.ts'
import type { EngineEvent, HookCallEvent, LayerCounters, LayerInfo } from '../../index.ts'
import { inDecimalUnit } from '../bytes.ts'

/** Bytes in decimal units, four significant digits at most: `10.24 MB`. */
export function formatBytes(bytes: number): string {
  const { value, unit } = inDecimalUnit(bytes)
  return `${unit === 'B' ? value : value.toPrecision(4)} ${unit}`
}

export function formatLayer(index: number, info: LayerInfo, counters: LayerCounters): string {
  const { hex } = /:(?<hex>.{12})/.exec(info.digest)?.groups as { hex: string }
  return columns(`layer ${index + 1}`, hex, counters.read, info.size, counters.entries)
}

export function formatTotal(
  layers: readonly LayerInfo[],
  counters: readonly LayerCounters[]
): string {
  const sum = (pick: (counter: LayerCounters) => number): number =>
    counters.reduce((total, counter) => total + pick(counter), 0)
  const size = layers.reduce((total, layer) => total + layer.size, 0)
  const line = columns(
    'total',
    '',
    sum(({ read }) => read),
    size,
    sum(({ entries }) => entries)
  )
  return `${line}  ${formatBytes(sum(({ unpacked }) => unpacked))} unpacked`
}

function columns(name: string, id: string, read: number, size: number, entries: number): string {
  return [
    name.padEnd(9),
    id.padEnd(12),
    `${formatBytes(read)} of ${formatBytes(size)}`.padStart(24),
    `${entries.toLocaleString('en')} entries`.padStart(18)
  ].join('  ')
}

export function formatPacked(entries: number, total: number): string {
  return `${entries.toLocaleString('en')} of ${total.toLocaleString('en')} entries packed`
}

export type TransferEvent = Extract<EngineEvent, { type: 'transfer' }>

export function formatTransfer({ bytes, total, bytesPerSecond }: TransferEvent): string {
  return `${formatBytes(bytes)} of ${formatBytes(total)} transferred, ${formatBytes(bytesPerSecond)}/s`
}

/** A call of a hook that has not been answered yet. */
export function formatCall({ hooks, hook, layer }: HookCallEvent): string {
  const about = layer === undefined ? '' : ` for layer ${layer + 1}`
  return `hook ${hook}${about} (${display(fromText(hooks))})`
}

export type PhaseName = Extract<EngineEvent, { type: 'phase' }>['phase']

export const PHASES: Readonly<Record<PhaseName, string>> = {
  join: 'joining the layers',
  manifest: 'writing the tree manifest',
  publish: 'making the bundle visible',
  compare: 'comparing the bundle with its tree manifest',
  pack: 'packing the layer',
  save: 'packing the root file system',
  store: 'storing the image'
}
