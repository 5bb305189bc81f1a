/** The file behind an export, as answers read it: what goes wrong becomes something that a client can be told. */
import { OciUnpackError } from '../../errors.ts'
import type { Extent } from '../../nbd/extents.ts'
import type { Refusal } from '../../nbd/request.ts'
import { ERROR } from '../../nbd/wire.ts'
import type { OpenedFile } from '../files/image-file.ts'
import { Turns } from './turns.ts'

/** Told of each failure to read, with the offset in bytes at which the reading began. */
export type OnFailure = (error: unknown, offset: number) => void

export class ReadFailure extends Error {
  readonly refusal: Refusal
  readonly offset: number

  constructor(cause: unknown, offset: number) {
    super('reading failed', { cause })
    this.refusal = refusalFor(cause)
    this.offset = offset
  }
}

/** Each may take memory for as much as is inflated at once. */
const READS_AT_ONCE = 8

export class Source {
  private readonly turns = new Turns(READS_AT_ONCE)
  private readonly file: OpenedFile
  private readonly onFailure: OnFailure

  constructor(file: OpenedFile, onFailure: OnFailure) {
    this.file = file
    this.onFailure = onFailure
  }

  /** @throws ReadFailure */
  async read(target: Buffer, offset: number): Promise<void> {
    await this.orFail(offset, () => this.turns.take(() => this.file.read(target, offset)))
  }

  /** @throws ReadFailure */
  extents(offset: number, length: number): Promise<readonly Extent[]> {
    return this.orFail(offset, () => this.file.extents(offset, length))
  }

  private async orFail<T>(offset: number, act: () => Promise<T>): Promise<T> {
    try {
      return await act()
    } catch (error) {
      this.onFailure(error, offset)
      throw new ReadFailure(error, offset)
    }
  }
}

/** Facts may be nobody's business but the operator's. */
function refusalFor(cause: unknown): Refusal {
  if (!(cause instanceof OciUnpackError)) return { error: ERROR.EIO, message: 'Reading failed.' }
  const error = cause.code === 'ABORTED' ? ERROR.ESHUTDOWN : ERROR.EIO
  return { error, message: `${cause.message} [${cause.code}]` }
}
