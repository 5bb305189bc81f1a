/** Writes an archive that appears under its name complete or not at all. The only file that knows tar-stream. */
import { pack, type Pack } from 'tar-stream'
import type { OnLeftover } from '../workspace/leftovers.ts'
import { createNewArchive, type NewArchive } from './new-archive.ts'

/** The same in every archive, so that two copies of one image are equal. */
const COMMON = { uid: 0, gid: 0, mtime: new Date(0) }

export class TarFile {
  private readonly file: NewArchive
  private readonly pack: Pack = pack()
  private failure: Error | undefined

  /** @throws ARCHIVE_EXISTS, SYSCALL_FAILED */
  constructor(path: string, onLeftover?: OnLeftover) {
    this.file = createNewArchive(path, onLeftover)
    this.pack.on('data', (bytes) => this.write(bytes as Uint8Array))
    this.pack.on('error', (error) => void (this.failure ??= error))
  }

  directory(name: string): void {
    this.pack.entry({ ...COMMON, name: `${name}/`, type: 'directory', mode: 0o755 })
  }

  /** Adds a file of `size` bytes, the total of the chunks. Each chunk is copied. @throws what the chunks throw */
  async add(
    name: string,
    size: number,
    chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>
  ): Promise<void> {
    const entry = this.pack.entry({ ...COMMON, name, size, mode: 0o644 })
    entry.on('error', (error) => void (this.failure ??= error))
    const closed = new Promise<void>((done) => entry.once('close', done))
    for await (const chunk of chunks) {
      const drained = entry.write(Buffer.from(chunk))
      if (!drained) await Promise.race([drain(entry), closed])
      this.assertWell()
    }
    entry.end(undefined)
    await closed
    this.assertWell()
  }

  /** Gives the archive its name. @throws ARCHIVE_EXISTS, SYSCALL_FAILED */
  async publish(): Promise<void> {
    const closed = new Promise<void>((done) => this.pack.once('close', done))
    this.pack.finalize()
    await closed
    this.assertWell()
    this.file.publish()
  }

  /** Removes the archive unless it is published. May be called again. */
  discard(): void {
    this.pack.destroy()
    this.file.discard()
  }

  private write(bytes: Uint8Array): void {
    try {
      this.file.write(bytes)
    } catch (error) {
      this.failure ??= error as Error
      this.pack.destroy()
    }
  }

  private assertWell(): void {
    if (this.failure !== undefined) throw this.failure
  }
}

function drain(entry: ReturnType<Pack['entry']>): Promise<void> {
  return new Promise((resolve) => entry.once('drain', () => resolve()))
}
