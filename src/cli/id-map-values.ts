/** The flags for id maps as options of the library. */
import { parseIdMap, type IdMapping } from '../index.ts'
import { texts, type Input } from './command.ts'

export function idMaps(input: Input, name: string): IdMapping[] {
  return texts(input, name).map(parseIdMap)
}
