/** The sink that writes only the requested bodies of single files, without their metadata, to a private directory. */
import type { StagedEntry } from '../plan/staged-entry.ts'
import { close, createFile } from '../sys/files.ts'
import { BodyWriter } from './body-writer.ts'
import type { LayerSink } from './layer-sink.ts'

export interface BodiesDescription {
  kind: 'bodies'
  /** Descriptor of a private directory; all threads of the process share it. */
  directory: number
  /** The new names of the bodies to write, by where these begin in the tar (as an index says). */
  wanted: ReadonlyMap<number, string>
}

const PRIVATE_FILE_MODE = 0o600

export class BodySink implements LayerSink {
  readonly hashesFile = false
  private readonly description: BodiesDescription
  private readonly body = new BodyWriter()
  private fileFd = -1

  constructor(description: BodiesDescription) {
    this.description = description
  }

  entry(entry: StagedEntry, body: number): void {
    const { directory, wanted } = this.description
    const name = wanted.get(body)
    if (name === undefined || entry.type !== 'file') return
    this.fileFd = createFile(directory, name, PRIVATE_FILE_MODE)
    this.body.begin(this.fileFd, entry.size)
  }

  data(chunk: Buffer, start: number, end: number, position: number): void {
    if (this.fileFd >= 0) this.body.write(chunk, start, end, position)
  }

  end(): void {
    if (this.fileFd >= 0) this.body.finish()
    this.close()
  }

  close(): void {
    if (this.fileFd >= 0) close(this.fileFd)
    this.fileFd = -1
  }
}
