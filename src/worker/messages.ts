/** The messages between the main thread and a worker: one union for each direction. */
import type { ByteString, OwnedBytes } from '../bytes.ts'
import type { ErrorRecord } from '../errors.ts'
import type { Compression } from '../image/media-types.ts'
import type { ScanBatch } from '../rootfs/scanner.ts'
import type { ResultOf, Task } from './perform.ts'

export interface ToWorker {
  task: Task
  control: SharedArrayBuffer
}

export type FromWorker =
  | { type: 'entries'; batch: OwnedBytes }
  | { type: 'lost-xattr'; entry: ByteString; xattr: ByteString }
  | { type: 'other-compression'; found: Compression }
  | { type: 'scanned'; batch: ScanBatch }
  | { type: 'done'; result: ResultOf<Task> }
  | { type: 'failed'; error: ErrorRecord }
