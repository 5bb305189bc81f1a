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

/** An entry, before it is known whether there is a layer. */
export type HistoryEntry = Omit<History, 'empty_layer'>

/** What the caller says of the entry. */
interface HistorySettings {
  history: HistoryOptions | false
  epoch: number | undefined
}

/** What it says unless the caller does. */
interface HistoryDefaults {
  author: string | undefined
  createdBy: string
}

/** Undefined if no entry was requested. @throws USAGE for an invalid date */
export function historyEntry(
  { history, epoch }: HistorySettings,
  defaults: HistoryDefaults
): HistoryEntry | undefined {
  if (history === false) return undefined
  const { created, createdBy, author, comment } = history
  return {
    created: created === undefined ? timestamp(epoch) : parseTimestamp(created),
    ...unlessEmpty('created_by', createdBy ?? defaults.createdBy),
    ...unlessEmpty('author', author ?? defaults.author),
    ...unlessEmpty('comment', comment)
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
