/** Whether an entry can be written to an archive. */
import { display } from '../bytes.ts'
import { OciUnpackError } from '../errors.ts'
import type { TarEntry } from './entry.ts'
import { fitsOctal } from './number.ts'
import { extentsFault, storedBytes, type Extents } from './sparse.ts'

/** Refuses (`ENTRY_INVALID`) whatever the format cannot contain, or readers would take for something else. */
export function checkWritable(entry: TarEntry, sparse: Extents | undefined): void {
  const reason =
    nameFault(entry) ?? xattrFault(entry) ?? numberFault(entry) ?? sparseFault(entry, sparse)
  if (reason === undefined) return
  throw new OciUnpackError('ENTRY_INVALID', 'The entry cannot be written to a tar archive.', {
    facts: { entry: display(entry.name), reason }
  })
}

function nameFault({ type, name, link }: TarEntry): string | undefined {
  const linked = type === 'symlink' || type === 'hardlink'
  if (name === '') return 'its name is empty'
  if (name.includes('\0') || link.includes('\0')) return 'its name or link target contains a NUL'
  if (type === 'file' && name.endsWith('/'))
    return 'its name ends with a slash, which means a directory'
  if (linked !== (link !== ''))
    return linked ? 'it is a link without a target' : 'it is not a link but has a target'
  return undefined
}

function xattrFault({ xattrs }: TarEntry): string | undefined {
  const odd = xattrs.find(([name]) => name === '' || /[=\0]/.test(name))
  return odd === undefined
    ? undefined
    : `the xattr name "${display(odd[0])}" cannot be written in PAX`
}

function numberFault(entry: TarEntry): string | undefined {
  const { size, uid, gid, mode, devMajor, devMinor } = entry
  if (entry.type !== 'file' && size !== 0) return 'only files have a body'
  const wrong = [size, uid, gid].find((value) => !Number.isSafeInteger(value) || value < 0)
  if (wrong !== undefined) return `${wrong} is not a size or an id`
  const wide = [mode, devMajor, devMinor].find((value) => !fitsOctal(value, 8))
  return wide === undefined ? undefined : `${wide} is not a mode or device number`
}

function sparseFault({ type, size }: TarEntry, sparse: Extents | undefined): string | undefined {
  if (sparse === undefined) return undefined
  return type === 'file' ? extentsFault(sparse, size, storedBytes(sparse)) : 'only files have holes'
}
