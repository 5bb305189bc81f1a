/**
 * The journal of a plan as a file: what would have to be undone, preceded by ten digits that say how many operations
 * were begun. Only that number changes, before each operation. If there is no such file, there is nothing to undo.
 */
import { toBuffer, type ByteString } from '../bytes.ts'
import { OciUnpackError } from '../errors.ts'
import type { UndoStep } from '../plan/undo.ts'
import { flush, openForChange } from '../sys/durable.ts'
import { isErrno } from '../sys/failure.ts'
import { close, createFile, writeAllAt } from '../sys/files.ts'
import { identity } from '../sys/identity.ts'
import { addressOf } from '../sys/libc.ts'
import { removeFile } from '../sys/names.ts'
import { readRegularFile } from '../sys/read-file.ts'
import { status } from '../sys/status.ts'
import type { Remembered } from './remembered.ts'

export interface JournalContent {
  steps: readonly UndoStep[]
  /** By the path before the first operation. */
  remembered: ReadonlyMap<ByteString, Remembered>
}

const NAME = 'journal'
const DIGITS = 10

export class JournalFile {
  private readonly workspace: number
  private readonly fd: number
  private readonly state = Buffer.allocUnsafeSlow(DIGITS)
  private readonly stateAddress = addressOf(this.state)

  private constructor(workspace: number, fd: number) {
    this.workspace = workspace
    this.fd = fd
  }

  /** Writes a new journal in a workspace. It is durable when this returns. */
  static create(workspace: number, content: JournalContent): JournalFile {
    const file = new JournalFile(workspace, createFile(workspace, NAME, 0o600))
    try {
      const body = toBuffer(`\n${print(content)}\n`)
      writeAllAt(file.fd, addressOf(body), body.length, DIGITS)
      flush(file.fd)
      file.begun(0)
      flush(file.fd)
      flush(workspace)
    } catch (error) {
      file.close()
      throw error
    }
    return file
  }

  /** Opens the journal of an abandoned workspace. The workspace must be ours, because we do what the journal says. */
  static open(workspace: number): JournalFile {
    return new JournalFile(workspace, openForChange(workspace, NAME))
  }

  /** Records that all operations below this number were begun; the last of them may or may not be done. */
  begun(count: number): void {
    this.state.write(String(count).padStart(DIGITS, '0'), 'latin1')
    writeAllAt(this.fd, this.stateAddress, DIGITS, 0)
  }

  /** After this, nothing can be undone. */
  remove(): void {
    removeFile(this.workspace, NAME)
  }

  close(): void {
    close(this.fd)
  }
}

export interface OpenJournal extends JournalContent {
  /** How many operations were begun. */
  begun: number
}

/**
 * Undefined if there is no journal or only part of one: then no operation was begun.
 * @throws TARGET_BUSY for a journal that another user wrote, because following it would mean obeying that user
 */
export function readJournal(workspace: number): OpenJournal | undefined {
  const text = readText(workspace)
  if (text === undefined || !/^\d{10}\n/.test(text)) return undefined
  const { uid, mode } = status(workspace, NAME)
  if (uid !== identity().uid || (mode & 0o022) !== 0) throw foreign(uid)
  return { begun: Number(text.slice(0, DIGITS)), ...parse(text.slice(DIGITS)) }
}

function readText(workspace: number): string | undefined {
  try {
    return readRegularFile(workspace, NAME, Number.MAX_SAFE_INTEGER)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  }
}

function foreign(uid: number): OciUnpackError {
  return new OciUnpackError('TARGET_BUSY', 'Another user has an unfinished unpack here.', {
    facts: { found: `user ${uid}` },
    hint: 'Let that user unpack again: this first undoes the unfinished unpack.'
  })
}

/** Byte strings contain no character above 255, so latin1 preserves them. */
function print({ steps, remembered }: JournalContent): string {
  return JSON.stringify({ steps, remembered: [...remembered] })
}

function parse(text: string): JournalContent {
  const { steps, remembered } = JSON.parse(text) as {
    steps: UndoStep[]
    remembered: [ByteString, Remembered][]
  }
  return { steps, remembered: new Map(remembered) }
}
