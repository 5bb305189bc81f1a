/** A leaf of a lower layer's directory, made anew in another: content and all metadata. */
import type { ByteString } from '../bytes.ts'
import type { WhiteoutForm } from '../plan/whiteout-form.ts'
import { close, createFile, openFile } from '../sys/files.ts'
import { status, type Status } from '../sys/status.ts'
import { copyBody } from './copy-body.ts'
import { describeFile, type Birthright, type OnLostXattr } from './describe.ts'
import { imageXattrs } from './layer-marks.ts'
import { objectEntry } from './object-entry.ts'
import { fileChanged } from './read-body.ts'
import { makeSpecialObject } from './special-object.ts'

export interface CopyUpOptions {
  /** Of both layers. */
  form: WhiteoutForm
  born: Birthright
  onLostXattr: OnLostXattr
}

/** @throws FILE_CHANGED, SYSCALL_FAILED */
export function copyUp(
  from: number,
  fromName: ByteString,
  to: number,
  toName: ByteString,
  { form, born, onLostXattr }: CopyUpOptions
): void {
  const found = status(from, fromName)
  const walked = { path: toName, status: found, directory: from, name: fromName }
  const entry = objectEntry(walked, imageXattrs(from, fromName, form))
  if (entry.type !== 'file') {
    makeSpecialObject(to, toName, entry, born, onLostXattr)
    return
  }
  const target = createFile(to, toName, born.fileMode(entry.mode))
  try {
    copyContent(from, fromName, target, found)
    describeFile(target, entry, born, onLostXattr)
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
