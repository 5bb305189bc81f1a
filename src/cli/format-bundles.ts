/** Bundles, and what became of them, for people and as JSON. */
import { display, fromText } from '../bytes.ts'
import type { KeptBecause, ListedBundle, PrunedBundle } from '../index.ts'
import { humanSize } from './bytes.ts'
import { formatTable } from './table.ts'

export function formatBundles(bundles: readonly ListedBundle[]): string {
  return formatTable([
    ['NAME', 'IMAGE', 'STORAGE', 'SIZE', 'CHANGED', 'MOUNTED', 'SELECTED', 'DIGEST'],
    ...bundles.map((bundle) => [
      shown(bundle.name),
      shown(bundle.image?.name ?? '-'),
      shown(bundle.storage ?? '-'),
      bundle.size === undefined ? '-' : humanSize(bundle.size),
      yesOrNo(bundle.changed),
      yesOrNo(bundle.mounted),
      shown(bundle.selectedBy.join(', ')) || 'no',
      problem(bundle) ?? bundle.image?.digest ?? '-'
    ])
  ])
}

function yesOrNo(value: boolean | undefined): string {
  if (value === undefined) return '-'
  return value ? 'yes' : 'no'
}

function problem({ error }: Pick<ListedBundle, 'error'>): string | undefined {
  if (error === undefined) return undefined
  const { code, message, reason } = error
  return shown(`${code}: ${message}${reason === undefined ? '' : ` (${reason})`}`)
}

/** A line of JSON. */
export function bundleJson(bundle: ListedBundle): string {
  const { name, image, unpacked, storage, size, changed, mounted, selectedBy, error } = bundle
  return line({
    name,
    image: image ?? null,
    unpacked: unpacked ?? null,
    storage: storage ?? null,
    size: size ?? null,
    changed: changed ?? null,
    mounted,
    selectedBy,
    error: error ?? null
  })
}

const REASONS: Readonly<Record<KeptBecause, string>> = {
  newest: 'kept: among the newest of its image',
  selected: 'kept: a link leads to it',
  mounted: 'kept: something is mounted in it',
  used: 'kept: a process has its root in it',
  changed: 'kept: it has changes',
  failed: 'kept'
}

export function formatPruned(bundles: readonly PrunedBundle[], isPlan: boolean): string {
  return formatTable([
    ['NAME', 'IMAGE', 'UNPACKED', 'OUTCOME'],
    ...bundles.map((bundle) => [
      shown(bundle.name),
      shown(bundle.image?.name ?? '-'),
      bundle.unpacked ?? '-',
      outcome(bundle, isPlan)
    ])
  ])
}

function outcome({ kept, error }: PrunedBundle, isPlan: boolean): string {
  if (kept === undefined) return isPlan ? 'to be removed' : 'removed'
  const why = problem(error === undefined ? {} : { error })
  return why === undefined ? REASONS[kept] : `${REASONS[kept]}: ${why}`
}

/** A line of JSON. */
export function prunedJson({ name, image, unpacked, kept, error }: PrunedBundle): string {
  return line({
    name,
    image: image ?? null,
    unpacked: unpacked ?? null,
    kept: kept ?? null,
    error: error ?? null
  })
}

function line(value: object): string {
  return `${JSON.stringify(value)}\n`
}

/** Names of files and images may contain anything. */
function shown(text: string): string {
  return display(fromText(text))
}
