/** Reads tree manifests. */
import { display, type ByteString } from '../bytes.ts'
import { OciUnpackError } from '../errors.ts'
import type { MtreeEntry } from './entry.ts'
import { keywordsOf } from './keyword-names.ts'
import { applyKeyword, newEntry, noValues, removeKeyword, type Values } from './keyword.ts'
import { visDecode } from './vis.ts'

export interface TreeManifest {
  /** In the order of the lines. */
  entries: MtreeEntry[]
  /** Canonical names of all keywords that occur, including those of `/set`. */
  keywords: ReadonlySet<string>
  /** Those of them that no mtree is known to define; their values are in `other`. */
  unknownKeywords: readonly string[]
  /** Whether every directory that was entered is left again, as programs write it. Otherwise the end may be missing. */
  isClosed: boolean
}

interface State {
  entries: MtreeEntry[]
  defaults: Values
  /** The path to the directory of relative names; empty outside the root. */
  directories: ByteString[]
  /** Counts from 1. */
  line: number
}

/**
 * Reads a tree manifest (one character for each byte), as written by go-mtree, umoci, bsdtar or `mtree -c` of the BSDs.
 * Follows mtree(5): relative names, full paths, `/set`, `/unset`, `..` and continued lines.
 * @throws MTREE_INVALID with the number of the line
 */
export function parseTreeManifest(text: string): TreeManifest {
  const state = readLines(text)
  const isClosed = state.directories.length === 0
  return { entries: state.entries, ...keywordsOf(state.entries), isClosed }
}

/** The defaults that `/set` and `/unset` lines add up to. @throws MTREE_INVALID */
export function parseDefaults(text: string): Values {
  return readLines(text).defaults
}

/** The entry of a single line, continued or not, with the name on that line. @throws MTREE_INVALID */
export function parseLine(text: string, defaults: Values): MtreeEntry {
  return readLines(text, defaults).entries[0]!
}

function readLines(text: string, defaults: Values = noValues()): State {
  const state: State = { entries: [], defaults, directories: [], line: 0 }
  for (let at = 0; at < text.length;) at = readLine(state, text, at)
  return state
}

/** Reads the line that starts at `from` and returns where the next one starts. */
function readLine(state: State, text: string, from: number): number {
  let end = endOfLine(text, from)
  let line = text.slice(from, end)
  state.line += 1
  let joined = 0
  while (isContinued(line) && end < text.length) {
    const next = end + 1
    end = endOfLine(text, next)
    line = line.slice(0, -1) + text.slice(next, end)
    joined += 1
  }
  readStatement(state, line)
  state.line += joined
  return end + 1
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from)
  return end === -1 ? text.length : end
}

/** An odd number of backslashes continues a line: `\\` is an encoded backslash. Comments end where their line ends. */
function isContinued(line: string): boolean {
  if (!line.endsWith('\\') || /^\s*#/.test(line)) return false
  return /\\*$/.exec(line)![0].length % 2 === 1
}

function readStatement(state: State, line: string): void {
  const flat = line.includes('\t') || line.includes('\r') ? line.replace(/[\t\r]/g, ' ') : line
  const start = skipSpaces(flat, 0)
  const end = endOfToken(flat, start)
  const first = flat.slice(start, end)
  if (first === '' || first.startsWith('#')) return
  if (first === '..') leaveDirectory(state)
  else if (first === '/set') applyAll(state, state.defaults, flat, end)
  else if (first === '/unset') unsetAll(state, flat.slice(end))
  else if (first.startsWith('/')) throw invalid(state, 'this command does not exist', first)
  else readEntry(state, first, flat, end)
}

function skipSpaces(line: string, from: number): number {
  let at = from
  while (line.charCodeAt(at) === 0x20) at += 1
  return at
}

function endOfToken(line: string, from: number): number {
  const space = line.indexOf(' ', from)
  return space === -1 ? line.length : space
}

function leaveDirectory(state: State): void {
  if (state.directories.pop() === undefined) {
    throw invalid(state, 'there is no directory to leave', '..')
  }
}

function unsetAll(state: State, keywords: string): void {
  for (const keyword of keywords.split(' ')) removeKeyword(state.defaults, keyword)
}

/** A name with a slash is a full path and does not change the current directory. */
function readEntry(state: State, name: string, line: string, from: number): void {
  const full = name.includes('/')
  const path = full ? fullPath(state, name) : relativePath(state, name)
  const entry = newEntry(path, state.defaults)
  applyAll(state, entry, line, from)
  state.entries.push(entry)
  if (!full && entry.type === 'dir') state.directories.push(path)
}

function relativePath(state: State, name: string): ByteString {
  const directory = state.directories.at(-1)
  if (name === '.' && directory === undefined) return '.'
  const component = toComponent(state, name)
  return directory === undefined || directory === '.' ? component : `${directory}/${component}`
}

function fullPath(state: State, name: string): ByteString {
  const components = name.split('/').filter((part) => part !== '' && part !== '.')
  return components.map((part) => toComponent(state, part)).join('/') || '.'
}

/** Escapes can hide components that no plain name can contain. Such a path must not come near a file system. */
function toComponent(state: State, encoded: string): ByteString {
  const name = visDecode(encoded)
  if (name === undefined) throw invalid(state, 'the name contains an unknown escape', encoded)
  if (name === '.' || name === '..' || /[/\0]/.test(name)) {
    throw invalid(state, 'no file can have this name', encoded)
  }
  return name
}

/** The keywords of a line from `from` on. */
function applyAll(state: State, values: Values, line: string, from: number): void {
  for (let at = skipSpaces(line, from); at < line.length;) {
    const end = endOfToken(line, at)
    if (!applyKeyword(values, line, at, end)) {
      throw invalid(state, 'this value has the wrong form', line.slice(at, end))
    }
    at = skipSpaces(line, end)
  }
}

function invalid(state: State, reason: string, found: string): OciUnpackError {
  return new OciUnpackError(
    'MTREE_INVALID',
    `Line ${state.line} of the tree manifest is not valid: ${reason}.`,
    {
      facts: { found: display(found.slice(0, 200)) },
      hint: 'The tree manifest was damaged or edited. Restore it, or unpack the image again.'
    }
  )
}
