import { OciUnpackError } from '../errors.ts'
import type { History } from '../image/types.ts'

/** The history entry of a change (image-spec config.md, history). What is not given has a default. */
export interface HistoryOptions {
  author?: string
  comment?: string
  /** RFC 3339; default the time of day, or SOURCE_DATE_EPOCH. */
  created?: string
  createdBy?: string
}

export interface HistoryDefaults {
  author: string | undefined
  createdBy: string
  epoch: number | undefined
}

const RFC3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/

/** Undefined: no entry is wanted. @throws USAGE for a date that is none */
export function historyEntry(
  options: HistoryOptions | false,
  defaults: HistoryDefaults
): Omit<History, 'empty_layer'> | undefined {
  if (options === false) return undefined
  const author = options.author ?? defaults.author
  const { comment } = options
  return {
    created: options.created === undefined ? timestamp(defaults.epoch) : rfc3339(options.created),
    created_by: options.createdBy ?? defaults.createdBy,
    ...(author === undefined || author === '' ? {} : { author }),
    ...(comment === undefined || comment === '' ? {} : { comment })
  }
}

/** Seconds since 1970 as RFC 3339; the time of day where there is no epoch. */
export function timestamp(epoch: number | undefined): string {
  if (epoch === undefined) return new Date().toISOString()
  return new Date(epoch * 1000).toISOString().replace('.000Z', 'Z')
}

function rfc3339(text: string): string {
  if (RFC3339.test(text) && !Number.isNaN(Date.parse(text))) return text
  throw new OciUnpackError('USAGE', 'A date is not in the form of RFC 3339.', {
    facts: { found: text },
    hint: 'For example 2026-11-21T10:00:00Z.'
  })
}
