/** What an upgrade carries over, and its conflicts, as lines of text or JSON. */
import { display } from '../bytes.ts'
import type { KeptChange, MergeConflict } from '../index.ts'
import type { Paint } from './paint.ts'

const SIGNS = {
  added: ['+', 'green'],
  modified: ['M', 'yellow'],
  deleted: ['-', 'red']
} as const

export function formatKept(
  { path, kind, isGone }: KeptChange,
  json: boolean,
  paint: Paint
): string {
  const shown = shownPath(path)
  if (json) return `${JSON.stringify({ type: 'kept', path: shown, kind, isGone })}\n`
  const [sign, style] = SIGNS[kind]
  const note = isGone ? ' (not in the new image; kept for what is in it)' : ''
  return `${paint(style, `${sign} ${shown}`)}${note}\n`
}

export function formatConflict(conflict: MergeConflict, json: boolean, paint: Paint): string {
  const { local, image, resolution, original } = conflict
  const path = shownPath(conflict.path)
  const beside = original === undefined ? undefined : display(original)
  if (json) {
    const shown = { path, local, image, resolution: resolution ?? null, original: beside ?? null }
    return `${JSON.stringify({ type: 'conflict', ...shown })}\n`
  }
  const sides = `${local} in the bundle, ${image} in the image`
  const end =
    resolution === undefined
      ? 'no rule'
      : beside === undefined
        ? resolution
        : `${resolution}: ${beside}`
  return `${paint('red', `C ${path}`)} (${sides}): ${end}\n`
}

function shownPath(path: string): string {
  return path === '' ? '.' : display(path)
}
