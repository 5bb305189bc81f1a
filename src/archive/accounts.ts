/** The accounts of a root file system, from its own files: those of this machine have other numbers. */
import type { ByteString } from '../bytes.ts'

/** Real files have some hundred KiB at most. */
const MAX_BYTES = 1 << 20

const FILES = { user: 'etc/passwd', group: 'etc/group' } as const

/** Takes the files of accounts as their archive is read. A later member of the same name counts. */
export class Accounts {
  private readonly texts = new Map<ByteString, ByteString>()

  /** Begins a file, which has no content yet. */
  begin(path: ByteString): void {
    if (isOfAccounts(path)) this.texts.set(path, '')
  }

  add(path: ByteString, chunk: Buffer, start: number, end: number): void {
    const text = this.texts.get(path)
    if (text === undefined || text.length + end - start > MAX_BYTES) return
    this.texts.set(path, text + chunk.toString('latin1', start, end))
  }

  /** The number of an account of the root file system at this path of the archive; undefined if it has none of the name. */
  find(root: ByteString, kind: 'user' | 'group', name: ByteString): number | undefined {
    const path = root === '' ? FILES[kind] : `${root}/${FILES[kind]}`
    const line = (this.texts.get(path) ?? '')
      .split('\n')
      .map((text) => text.split(':'))
      .find(([first]) => first === name)
    return line !== undefined && /^\d+$/.test(line[2] ?? '') ? Number(line[2]) : undefined
  }
}

function isOfAccounts(path: ByteString): boolean {
  return Object.values(FILES).some((file) => path === file || path.endsWith(`/${file}`))
}
