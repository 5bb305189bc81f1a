/**
 * `security.capability` (linux/capability.h): version 2 holds for the whole machine, version 3 only in user namespaces whose
 * root is the user that it names. A kernel shows the version that fits the namespace of whoever looks. Images have version
 * 2.
 */
import type { ByteString } from '../../bytes.ts'
import type { Xattr } from '../../tar/entry.ts'
import { toHost, type IdMapping } from '../id-map.ts'

const CAPABILITY = 'security.capability'

const VERSION_BYTE = 3
const V2 = '\x02'
const V2_BYTES = 20
const V3 = '\x03'
const V3_BYTES = 24

/** As an image has them, of an object whose owners were mapped. Values for other namespaces stay as they are. */
export function capabilitiesOfImage(
  xattrs: readonly Xattr[],
  uidMap: readonly IdMapping[]
): readonly Xattr[] {
  return changeCapability(xattrs, uidMap, (value, root) => {
    const isForRoot = isVersion(value, V3, V3_BYTES) && value.slice(V2_BYTES) === root
    return isForRoot ? withVersion(value.slice(0, V2_BYTES), V2) : value
  })
}

/** As the kernel shows them outside of a user namespace with these ids, if they look like this inside. */
export function capabilitiesOutside(
  xattrs: readonly Xattr[],
  uidMap: readonly IdMapping[]
): readonly Xattr[] {
  return changeCapability(xattrs, uidMap, (value, root) =>
    isVersion(value, V2, V2_BYTES) ? withVersion(value, V3) + root : value
  )
}

/** @param change gets the value, and the bytes that name root of the namespace */
function changeCapability(
  xattrs: readonly Xattr[],
  uidMap: readonly IdMapping[],
  change: (value: ByteString, root: ByteString) => ByteString
): readonly Xattr[] {
  if (uidMap.length === 0 || !xattrs.some(([name]) => name === CAPABILITY)) return xattrs
  const root = toHost(uidMap, 0)
  if (root === undefined) return xattrs
  return xattrs.map(([name, value]) => [
    name,
    name === CAPABILITY ? change(value, littleEndian(root)) : value
  ])
}

function isVersion(value: ByteString, version: string, length: number): boolean {
  return value.length === length && value[VERSION_BYTE] === version
}

function withVersion(value: ByteString, version: string): ByteString {
  return value.slice(0, VERSION_BYTE) + version + value.slice(VERSION_BYTE + 1)
}

function littleEndian(id: number): ByteString {
  return String.fromCharCode(id & 0xff, (id >>> 8) & 0xff, (id >>> 16) & 0xff, id >>> 24)
}
