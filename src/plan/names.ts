/**
 * Makes archive names safe and splits them: the one file that knows what the names in a layer mean. image-spec
 * layer.md: names are relative to the root; `.wh.` marks whiteouts.
 */
import { display, type ByteString } from '../bytes.ts'
import { OciUnpackError } from '../errors.ts'

/** Longest path in bytes that the kernel accepts in one call, without the closing NUL (PATH_MAX). */
export const MAX_PATH_BYTES = 4095
/** Longest component in bytes that every common file system allows (NAME_MAX). */
const MAX_COMPONENT_BYTES = 255
export const WHITEOUT_PREFIX = '.wh.'
export const OPAQUE_NAME = '.wh..wh..opq'

/** What an entry's name asks for. Paths are relative to the root and cleaned; `''` is the root. */
export type NamedTarget =
  | { kind: 'entry'; path: ByteString }
  | { kind: 'whiteout'; path: ByteString }
  | { kind: 'opaque'; path: ByteString }

/** @throws ENTRY_INVALID for malicious whiteouts, LIMIT_EXCEEDED for names longer than `maxPathBytes` */
export function readName(name: ByteString, maxPathBytes: number = MAX_PATH_BYTES): NamedTarget {
  const path = cleanPath(name)
  checkLength(path, maxPathBytes)
  const base = baseName(path)
  if (!base.startsWith(WHITEOUT_PREFIX)) return { kind: 'entry', path }
  if (base === OPAQUE_NAME) return { kind: 'opaque', path: parentPath(path) }
  return { kind: 'whiteout', path: joinPath(parentPath(path), victimName(path)) }
}

function victimName(path: ByteString): ByteString {
  const victim = baseName(path).slice(WHITEOUT_PREFIX.length)
  if (victim !== '' && victim !== '.' && victim !== '..') return victim
  throw new OciUnpackError('ENTRY_INVALID', 'A whiteout does not name an entry of its directory.', {
    facts: { entry: display(path), reason: `it would remove "${display(victim)}"` },
    hint: 'The layer is damaged or malicious: whiteouts are named .wh.<name> (image-spec, layer.md).'
  })
}

/**
 * A name as a path inside the root: slashes are merged, `.` is dropped, `..` is resolved lexically and never goes above
 * the root, as in umoci. Absolute names are relative to the root.
 */
export function cleanPath(name: ByteString): ByteString {
  if (isClean(name)) return name
  const components: ByteString[] = []
  for (const component of name.split('/')) {
    if (component === '' || component === '.') continue
    if (component === '..') components.pop()
    else components.push(component)
  }
  return components.join('/')
}

/** Most names are clean already: this avoids splitting them. */
function isClean(name: ByteString): boolean {
  if (name === '') return true
  let start = 0
  for (;;) {
    const slash = name.indexOf('/', start)
    const end = slash < 0 ? name.length : slash
    const length = end - start
    if (length === 0) return false
    if (
      name.charCodeAt(start) === DOT &&
      (length === 1 || (length === 2 && name.charCodeAt(start + 1) === DOT))
    )
      return false
    if (slash < 0) return true
    start = slash + 1
  }
}

const DOT = 0x2e

function checkLength(path: ByteString, maxPathBytes: number): void {
  if (path.length > maxPathBytes)
    throw tooLong(path, `the path has ${path.length} bytes`, maxPathBytes)
  if (path.length <= MAX_COMPONENT_BYTES) return
  for (const component of path.split('/'))
    if (component.length > MAX_COMPONENT_BYTES)
      throw tooLong(path, `a component has ${component.length} bytes`, MAX_COMPONENT_BYTES)
}

export function tooLong(path: ByteString, reason: string, limit: number): OciUnpackError {
  return new OciUnpackError('LIMIT_EXCEEDED', 'A name is too long.', {
    facts: { entry: shorten(display(path)), reason, expected: `at most ${limit} bytes` }
  })
}

function shorten(text: string): string {
  return text.length <= 200 ? text : `${text.slice(0, 120)}…${text.slice(-60)}`
}

export function baseName(path: ByteString): ByteString {
  return path.slice(path.lastIndexOf('/') + 1)
}

export function parentPath(path: ByteString): ByteString {
  const slash = path.lastIndexOf('/')
  return slash < 0 ? '' : path.slice(0, slash)
}

export function joinPath(parent: ByteString, name: ByteString): ByteString {
  return parent === '' ? name : name === '' ? parent : `${parent}/${name}`
}
