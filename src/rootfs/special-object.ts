/** Making symbolic links, devices and FIFOs. */
import type { ByteString } from '../bytes.ts'
import type { StagedEntry } from '../plan/staged-entry.ts'
import { makeSpecial, makeSymlink } from '../sys/names.ts'
import { writeSpecialMetadata, type Birthright, type OnLostXattr } from './write-metadata.ts'

/** Makes a new symbolic link, device or FIFO with all its metadata. */
export function makeSpecialObject(
  directory: number,
  name: ByteString,
  entry: StagedEntry,
  born: Birthright,
  onLost: OnLostXattr
): void {
  if (entry.type === 'symlink') makeSymlink(entry.link, directory, name)
  else if (entry.type === 'char' || entry.type === 'block' || entry.type === 'fifo')
    makeSpecial(directory, name, entry.type, entry.mode, entry.devMajor, entry.devMinor)
  writeSpecialMetadata(directory, name, entry, born, onLost)
}
