/** The history entry of a change. */
import { parseTimestamp } from '../../image/timestamp.ts'
import type { History } from '../../image/types.ts'

/** The history entry of a change (image-spec config.md, history). All fields have defaults. */
export interface HistoryOptions {
  author?: string
  comment?: string
  /** RFC 3339; default SOURCE_DATE_EPOCH, or else the current time. */
  created?: string
  createdBy?: string
}

export interface HistoryDefaults {
  author: string | undefined
  createdBy: string
  epoch: number | undefined
}

/** Undefined if no entry was requested. @throws USAGE for an invalid date */
export function historyEntry(
  options: HistoryOptions | false,
  defaults: HistoryDefaults
): Omit<History, 'empty_layer'> | undefined {
  if (options === false) return undefined
  const { created } = options
  return {
    created: created === undefined ? timestamp(defaults.epoch) : parseTimestamp(created),
    ...unlessEmpty('created_by', options.createdBy ?? defaults.createdBy),
    ...unlessEmpty('author', options.author ?? defaults.author),
    ...unlessEmpty('comment', options.comment)
  }
}

/** Go's encoder omits empty fields, so umoci does, too. */
function unlessEmpty(name: keyof History, value: string | undefined): Partial<History> {
  return value === undefined || value === '' ? {} : { [name]: value }
}

/** Seconds since 1970 as RFC 3339; the current time if there is no epoch. */
export function timestamp(epoch: number | undefined): string {
  const date = epoch === undefined ? new Date() : new Date(epoch * 1000)
  return parseTimestamp(date.toISOString())
}
