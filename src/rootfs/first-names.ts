/** What was noted of each file at the first of its names that came by, to be known again at the others. */
import { inodeKey, type Status } from '../sys/status.ts'

export class FirstNames<Note> {
  private readonly notes = new Map<string, Note>()

  /** Undefined at a first name. */
  get(status: Status): Note | undefined {
    return hasFurtherNames(status) ? this.notes.get(inodeKey(status)) : undefined
  }

  /** Keeps nothing of what has one name. */
  note(status: Status, note: Note): void {
    if (hasFurtherNames(status)) this.notes.set(inodeKey(status), note)
  }
}

/** A directory is not a link of itself, though it has several names. */
function hasFurtherNames({ type, nlink }: Status): boolean {
  return type !== 'directory' && nlink > 1
}
