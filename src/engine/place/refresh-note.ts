/**
 * What a refresh of a bundle notes in its workspace before its first change. It tells a later process that finds the
 * workspace which tree manifest is not the bundle's: replacing umoci.json is the one step that counts.
 */
import { memoryFiles, METADATA_FILE } from '../../bundle/files.ts'
import { parseMetadata, sourceManifest } from '../../bundle/metadata.ts'
import { toBuffer } from '../../bytes.ts'
import { isErrno } from '../../sys/failure.ts'
import { writeNewFile } from '../../sys/files.ts'
import { removeFileIfThere } from '../../sys/names.ts'
import { readRegularFile } from '../../sys/read-file.ts'

/** Digests of the bundle's image manifest, before and after. */
export interface RefreshNote {
  before: string
  after: string
}

const NOTE_FILE = 'refresh.json'

export function writeRefreshNote(workspace: number, note: RefreshNote): void {
  writeNewFile(workspace, NOTE_FILE, Buffer.from(JSON.stringify(note)), 0o600)
}

/** Removes what an interrupted refresh left in the bundle. */
export function recoverRefresh(bundle: number, workspace: number): void {
  const note = readNote(workspace)
  const current = note === undefined ? undefined : digestOf(bundle)
  if (note === undefined || current === undefined) return
  for (const digest of [note.before, note.after])
    if (digest !== current) for (const name of memoryFiles(digest)) removeFileIfThere(bundle, name)
}

/** Undefined if there is none or only part of one: then nothing was changed yet. */
function readNote(workspace: number): RefreshNote | undefined {
  const text = readIfThere(workspace, NOTE_FILE)
  if (text === undefined) return undefined
  try {
    return JSON.parse(text) as RefreshNote
  } catch {
    return undefined
  }
}

function digestOf(bundle: number): string | undefined {
  const text = readIfThere(bundle, METADATA_FILE)
  return text === undefined
    ? undefined
    : sourceManifest(parseMetadata(toBuffer(text).toString())).digest
}

/** No document of ours is larger. */
const MAX_BYTES = 16 * 1024 * 1024

function readIfThere(directory: number, name: string): string | undefined {
  try {
    return readRegularFile(directory, name, MAX_BYTES)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  }
}
