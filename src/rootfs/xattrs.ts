/** Reading the extended attributes of one object. */
import type { ByteString } from '../bytes.ts'
import { isErrno } from '../sys/failure.ts'
import { getXattr, listXattrs } from '../sys/metadata.ts'
import type { Xattr } from '../tar/entry.ts'
import type { DirectoryCursor } from './directory-cursor.ts'

/** All extended attributes of an object, whatever their size; those that are removed meanwhile are left out. */
export function readXattrs(directory: number, name: ByteString): Xattr[] {
  return listXattrs(directory, name).flatMap((key): Xattr[] => {
    const value = getXattr(directory, name, key)
    return value === undefined ? [] : [[key, value]]
  })
}

/**
 * The same for the object at `path`, whose name in `directory` is `name`. Values of `user.*` can be read only by who may
 * read the object, so one of ours is opened up meanwhile.
 */
export function readXattrsAt(
  { lender }: Pick<DirectoryCursor, 'lender'>,
  path: ByteString,
  directory: number,
  name: ByteString
): Xattr[] {
  const read = (): Xattr[] => readXattrs(directory, name)
  try {
    return read()
  } catch (error) {
    if (lender === undefined || !isErrno(error, 'EACCES')) throw error
    return lender.whileReadable({ directory, name, path }, read)
  }
}
