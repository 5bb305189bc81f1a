/** Notes about files with several names, made at the first name that is seen and found again at the others. */
import { inodeKey, type Status } from '../sys/status.ts'

export class FirstNames<Note> {
  private readonly notes = new Map<string, Note>()

  /** Undefined for a first name. */
  get(status: Status): Note | undefined {
    return hasFurtherNames(status) ? this.notes.get(inodeKey(status)) : undefined
  }

  /** Keeps nothing for files with a single name. */
  note(status: Status, note: Note): void {
    if (hasFurtherNames(status)) this.notes.set(inodeKey(status), note)
  }
}

/** A directory is not a hard link, though its link count is above one. */
function hasFurtherNames({ type, nlink }: Status): boolean {
  return type !== 'directory' && nlink > 1
}
