/**
 * The paths that refreshed repacks of a bundle have packed, and those that its hooks listed for them. After a refresh
 * these paths belong to the image, and what is deleted there may leave no trace where hooks look: in the upper directory
 * of an overlay, a file that was only there is simply gone. So they are looked at again, whatever the hooks list.
 */
import { PACKED_FILE } from '../../bundle/files.ts'
import { toBuffer, type ByteString } from '../../bytes.ts'
import { ChangedPathsBuilder } from '../../hooks/changed-paths.ts'
import type { ChangedPaths } from '../../plan/changed-paths.ts'
import { flush } from '../../sys/durable.ts'
import { isErrno } from '../../sys/failure.ts'
import { close, openFile, writeNewFile } from '../../sys/files.ts'
import { removeFileIfThere, renameOver } from '../../sys/names.ts'
import { readRegularFile } from '../../sys/read-file.ts'
import type { OpenBundle } from './open-bundle.ts'
import { openState } from './unfinished-mark.ts'

/** What hooks listed, with all that was packed before. */
export function withPacked(listed: ChangedPaths, bundle: OpenBundle): ChangedPaths {
  return withState(bundle, listed, (state) => {
    const all = new ChangedPathsBuilder()
    addAll(all, listed)
    for (const path of readPacked(state)) all.add(path)
    return all
  })
}

/**
 * Remembers what the next image of a bundle contains. Called before the bundle is refreshed: a path too many does no
 * harm. Does nothing for a bundle that no hooks made.
 */
export function rememberPacked(
  bundle: OpenBundle,
  listed: ChangedPaths | undefined,
  packed: Iterable<ByteString>
): void {
  withState(bundle, undefined, (state) => {
    const all = new ChangedPathsBuilder()
    if (listed !== undefined) addAll(all, listed)
    for (const path of readPacked(state)) all.add(path)
    for (const path of packed) all.add(path)
    writePacked(state, all)
  })
}

function addAll(to: ChangedPathsBuilder, { entries, trees }: ChangedPaths): void {
  for (const path of entries) to.add(path)
  for (const path of trees) to.add(`${path}/`)
}

/** The paths in the form of a delta-list. */
function readPacked(state: number): ByteString[] {
  try {
    const text = readRegularFile(state, PACKED_FILE, LIMIT_BYTES) ?? ''
    return text.split('\0').slice(0, -1)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return []
    throw error
  }
}

const LIMIT_BYTES = 2 ** 26

function writePacked(state: number, packed: ChangedPaths): void {
  const name = `${PACKED_FILE}.new`
  removeFileIfThere(state, name)
  try {
    writeNewFile(state, name, toBuffer(asText(packed)), 0o600)
    const fd = openFile(state, name)
    try {
      flush(fd)
    } finally {
      close(fd)
    }
    renameOver(state, name, state, PACKED_FILE)
    flush(state)
  } catch (error) {
    removeFileIfThere(state, name)
    throw error
  }
}

/** A list that is too long becomes one of everything. */
function asText({ entries, trees }: ChangedPaths): ByteString {
  let length = 0
  for (const path of entries) length += path.length + '\0'.length
  for (const path of trees) length += path.length + '/\0'.length
  if (length > LIMIT_BYTES) return './\0'
  const parts: ByteString[] = []
  for (const path of entries) parts.push(path, '\0')
  for (const path of trees) parts.push(path, '/\0')
  return parts.join('')
}

function withState<T>({ directory, path }: OpenBundle, none: T, act: (state: number) => T): T {
  const state = openState(directory, path)
  if (state === undefined) return none
  try {
    return act(state)
  } finally {
    close(state)
  }
}
