/** Copying a leaf from a lower layer's directory into another layer's, with its content and all metadata. */
import type { ByteString } from '../bytes.ts'
import { baseName, parentPath } from '../plan/names.ts'
import type { WhiteoutForm } from '../plan/whiteout-form.ts'
import { openBeneath } from '../sys/beneath.ts'
import { close, createFile, openFile } from '../sys/files.ts'
import { status, type Status } from '../sys/status.ts'
import { copyBody } from './copy-body.ts'
import { writeFileMetadata, type Birthright, type OnLostXattr } from './write-metadata.ts'
import { layerObjectEntry } from './object-entry.ts'
import { fileChanged } from './read-body.ts'
import { makeSpecialObject } from './special-object.ts'

export interface CopyUpOptions {
  /** The whiteout form of both layers. */
  form: WhiteoutForm
  born: Birthright
  onLostXattr: OnLostXattr
}

/**
 * Copies from `path` in one layer's directory to `name` in a directory of another; the caller keeps both handles.
 * @throws FILE_CHANGED, SYSCALL_FAILED
 */
export function copyUp(
  layer: number,
  path: ByteString,
  directory: number,
  name: ByteString,
  options: CopyUpOptions
): void {
  const source = openBeneath(layer, parentPath(path))
  try {
    copyLeaf(source, baseName(path), directory, name, options)
  } finally {
    close(source)
  }
}

function copyLeaf(
  source: number,
  sourceName: ByteString,
  directory: number,
  name: ByteString,
  { form, born, onLostXattr }: CopyUpOptions
): void {
  const found = status(source, sourceName)
  const walked = { path: name, status: found, directory: source, name: sourceName }
  const entry = layerObjectEntry(walked, form)
  if (entry.type !== 'file') {
    makeSpecialObject(directory, name, entry, born, onLostXattr)
    return
  }
  const target = createFile(directory, name, born.fileMode(entry))
  try {
    copyContent(source, sourceName, target, found)
    writeFileMetadata(target, entry, born, onLostXattr)
  } finally {
    close(target)
  }
}

function copyContent(from: number, name: ByteString, target: number, found: Status): void {
  const source = openFile(from, name)
  try {
    copyBody(source, target, found.size)
    const now = status(source, '')
    if (now.inode !== found.inode || now.size !== found.size) throw fileChanged(name)
  } finally {
    close(source)
  }
}
