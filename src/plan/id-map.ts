/** Maps between ids in the container and on the host. */
import { OciUnpackError } from '../errors.ts'

/** Maps `size` consecutive ids, from `containerId` inside the container to `hostId` outside (user_namespaces(7)). */
export interface IdMapping {
  containerId: number
  hostId: number
  size: number
}

/** 2^32-1 means "leave as it is" to chown(2), so it is not a valid id. */
const MAX_ID = 0xffff_fffe

/**
 * Reads `container:host[:size]`, three base-10 numbers; the default size is 1.
 * @throws USAGE if the text has another form or the range is not within 0…2^32-2
 */
export function parseIdMap(text: string): IdMapping {
  const parts = text.split(':')
  const [containerId = NaN, hostId = NaN, size = 1] = parts.map(parseNumber)
  const fits =
    parts.length <= 3 &&
    size >= 1 &&
    containerId + size - 1 <= MAX_ID &&
    hostId + size - 1 <= MAX_ID
  if (!fits) throw invalidMap(text)
  return { containerId, hostId, size }
}

/** The id on the host, by the first mapping that contains it; without any mappings, the id itself. */
export function toHost(maps: readonly IdMapping[], id: number): number | undefined {
  if (maps.length === 0) return id
  for (const { containerId, hostId, size } of maps) {
    if (id >= containerId && id - containerId < size) return hostId + (id - containerId)
  }
  return undefined
}

/** The id in the container, by the first mapping that contains it; without any mappings, the id itself. */
export function toContainer(maps: readonly IdMapping[], id: number): number | undefined {
  if (maps.length === 0) return id
  for (const { containerId, hostId, size } of maps) {
    if (id >= hostId && id - hostId < size) return containerId + (id - hostId)
  }
  return undefined
}

/** The error for an id that `toHost` or `toContainer` cannot map; the caller adds the entry. */
export function idNotMapped(kind: 'uid' | 'gid', side: 'container' | 'host', id: number): Error {
  return new OciUnpackError(
    'ID_NOT_MAPPED',
    `The ${side} ${kind} ${id} is not in any ${kind} mapping.`,
    {
      facts: { found: id },
      hint: hints[side](kind)
    }
  )
}

/** The maps of a bundle were chosen when it was unpacked; a repack cannot change them. */
const hints = {
  container: (kind: string) => `Add a mapping to {${kind}Map} whose range contains this id.`,
  host: (kind: string) =>
    `Change the owner to a mapped id, or unpack or insert with a wider range in {${kind}Map}.`
} as const

function parseNumber(text: string): number {
  return /^[0-9]{1,10}$/.test(text) ? Number(text) : NaN
}

function invalidMap(text: string): OciUnpackError {
  return new OciUnpackError('USAGE', `"${text}" is not an id mapping.`, {
    facts: { expected: 'CONTAINER:HOST[:SIZE], base-10 ids of 0 to 4294967294', found: text },
    hint: 'For example, 0:100000:65536 maps 65536 ids, with container root as host id 100000.'
  })
}
