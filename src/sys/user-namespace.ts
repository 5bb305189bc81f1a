/** The user namespace that this process is in: which ids it has, and which these are outside (user_namespaces(7)). */
import { lstatSync, readlinkSync } from 'node:fs'
import { isInitial } from './privileges.ts'
import { readFile } from './read.ts'

/** Consecutive ids of the namespace, from `containerId`, which are those from `hostId` in the namespace around it. */
export interface IdRange {
  containerId: number
  hostId: number
  size: number
}

export interface NamespaceIds {
  uidMap: readonly IdRange[]
  gidMap: readonly IdRange[]
}

let known: { ids: NamespaceIds | undefined } | undefined

/** Undefined in the initial namespace. Read once: a process with threads cannot change its user namespace. */
export function namespaceIds(): NamespaceIds | undefined {
  known ??= { ids: idsFrom(content('/proc/self/uid_map'), content('/proc/self/gid_map')) }
  return known.ids
}

/** @param uidMap, gidMap content of the files in /proc */
export function idsFrom(uidMap: string, gidMap: string): NamespaceIds | undefined {
  if (isInitial(uidMap) && isInitial(gidMap)) return undefined
  return { uidMap: ranges(uidMap), gidMap: ranges(gidMap) }
}

function ranges(text: string): IdRange[] {
  return Array.from(text.matchAll(/^ *(\d+) +(\d+) +(\d+)$/gm), (line) => {
    const [containerId = 0, hostId = 0, size = 0] = line.slice(1).map(Number)
    return { containerId, hostId, size }
  })
}

/** Names the namespace that was made for this program, and the process that made it: `user:[4026532290] 1234`. */
export const MADE_NAMESPACE = 'OCI_UNPACK_USERNS'

/**
 * The ids of a namespace that was made for this program alone, so that the ids outside are those that count. Whoever
 * sets the variable without such a namespace changes nothing.
 */
export function madeNamespaceIds(): NamespaceIds | undefined {
  const [namespace] = process.env[MADE_NAMESPACE]?.split(' ') ?? []
  return namespace === namespaceName() ? namespaceIds() : undefined
}

/** `user:[4026531837]`; undefined on a kernel without user namespaces. */
export function namespaceName(): string | undefined {
  try {
    return readlinkSync('/proc/self/ns/user')
  } catch {
    return undefined
  }
}

export function hasId(map: readonly IdRange[], id: number): boolean {
  return rangeOf(map, id) !== undefined
}

function rangeOf(map: readonly IdRange[], id: number): IdRange | undefined {
  return map.find(({ containerId, size }) => id >= containerId && id - containerId < size)
}

/** The user outside that this process acts for. Files that processes of one user share are named after it. */
export function uidOutside(): number {
  const uid = process.geteuid!()
  const range = rangeOf(namespaceIds()?.uidMap ?? [], uid)
  return range === undefined ? uid : range.hostId + (uid - range.containerId)
}

/** Root of the system whose files it sees: not somebody who is root only in a namespace. */
export function isSystemRoot(): boolean {
  return process.geteuid!() === 0 && (namespaceIds() === undefined || lstatSync('/').uid === 0)
}

/** Whether an owner may be anybody outside: the kernel shows all ids that a namespace does not have as this one. */
export function isUnknownOwner(uid: number | undefined): boolean {
  return namespaceIds() !== undefined && uid === OVERFLOW_ID
}

/** The default of /proc/sys/kernel/overflowuid, which nobody changes. */
const OVERFLOW_ID = 65534

function content(path: string): string {
  try {
    return readFile(path).toString('latin1')
  } catch {
    return ''
  }
}
