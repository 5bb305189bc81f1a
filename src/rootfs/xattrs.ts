/** Reading the extended attributes of one object. */
import type { ByteString } from '../bytes.ts'
import { getXattr, listXattrs } from '../sys/metadata.ts'
import type { Xattr } from '../tar/entry.ts'

/** All extended attributes of an object, whatever their size; those that are removed meanwhile are left out. */
export function readXattrs(directory: number, name: ByteString): Xattr[] {
  return listXattrs(directory, name).flatMap((key): Xattr[] => {
    const value = getXattr(directory, name, key)
    return value === undefined ? [] : [[key, value]]
  })
}
