/** Judges the paths of a delta-list. */
import { display, fromText, type ByteString } from '../bytes.ts'
import type { ChangedPaths } from '../plan/changed-paths.ts'
import { answerInvalid } from './failures.ts'

/** A Set of V8 can have 2^24 members. */
const MAX_PATHS = 2 ** 24 - 1

/** Checks the paths of a delta-list, for every kind of hook. */
export class ChangedPathsBuilder implements ChangedPaths {
  readonly entries: Set<ByteString> = new Set()
  readonly trees: Set<ByteString> = new Set()

  /** A path that ends in `/` stands for a tree. @throws HOOK_ANSWER_INVALID if it is not a path below the root */
  add(listed: ByteString): void {
    const isTree = listed.endsWith('/')
    const path = isTree ? listed.slice(0, -1) : listed
    if (path !== '.' && !isRelative(path)) throw badPath(listed)
    const paths = isTree ? this.trees : this.entries
    if (paths.size === MAX_PATHS) throw answerInvalid(`it lists more than ${MAX_PATHS} paths`)
    paths.add(path)
  }

  /** For text, which JSON and functions use. */
  addText(listed: string): void {
    this.add(fromText(listed))
  }
}

function isRelative(path: ByteString): boolean {
  if (path.includes('\0')) return false
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
}

function badPath(path: ByteString): Error {
  return answerInvalid('it lists something that is not a path in the root file system', {
    found: display(path.slice(0, 200)),
    hint: 'Paths are relative to the rootfs: they do not begin with a slash, and no component is empty, "." or "..".'
  })
}
