/** Writes the body of a file to where the caller wants it: a new file, a block device, or a stream. */
import { OciUnpackError } from '../errors.ts'
import { writeAllAt } from '../sys/files.ts'
import { waitWritable, writeSome, zeroRange } from '../sys/output.ts'
import { aboutWriting } from './output-errors.ts'
import { BodyWriter, HOLE_BYTES, ZEROS_ADDRESS } from './body-writer.ts'

export interface OutputDescription {
  /** `file`: new and empty, and holes stay holes. `device`: holes are made to read as zeros. `stream`: written in order. */
  kind: 'file' | 'device' | 'stream'
  /** Descriptor; all threads of the process share it. */
  fd: number
  /** Whether a write to the stream may make its writer wait: pipes and sockets. */
  mayBlock?: boolean
  /** What a device has. */
  room?: DeviceRoom
  /** As its user named it, for messages; undefined for a pipe of our own. */
  name?: string
}

/** What is called from outside of a writer of bodies. */
export type OutputWriter = Pick<BodyWriter, 'begin' | 'write' | 'finish'>

export interface DeviceRoom {
  /** For messages. */
  path: string
  bytes: number
}

/** Errors of failed calls name the output. @param pause called while nobody takes what is written; throws to give up */
export function outputWriter(output: OutputDescription, pause: () => void): OutputWriter {
  const writer = writerFor(output, pause)
  const { name } = output
  if (name === undefined) return writer
  const named = (act: () => void): void => {
    try {
      act()
    } catch (error) {
      throw aboutWriting(error, name)
    }
  }
  return {
    begin: (fd, size) => named(() => writer.begin(fd, size)),
    write: (...args) => named(() => writer.write(...args)),
    finish: (size) => named(() => writer.finish(size))
  }
}

function writerFor(output: OutputDescription, pause: () => void): BodyWriter {
  switch (output.kind) {
    case 'file':
      return new BodyWriter()
    case 'device':
      return new DeviceWriter(output.room)
    case 'stream':
      return new StreamWriter(output.mayBlock === true, pause)
  }
}

/** Every device has blocks of this size, or of a part of it. */
const DEVICE_BLOCK_BYTES = 4096

/** What was on the device before must not be seen in a hole. */
class DeviceWriter extends BodyWriter {
  private readonly room: DeviceRoom | undefined

  constructor(room: DeviceRoom | undefined) {
    super()
    this.room = room
  }

  /** @throws TARGET_TOO_SMALL */
  override begin(fd: number, size: number): void {
    if (this.room !== undefined && size > this.room.bytes) throw tooSmall(this.room, size)
    super.begin(fd, size)
  }

  protected override put(address: number, length: number, at: number): void {
    this.zero(at)
    this.assertRoom(at + length)
    super.put(address, length, at)
  }

  protected override endInHole(): void {
    this.zero(this.size)
  }

  /** The size of what is inflated is known last. */
  private assertRoom(until: number): void {
    if (this.room !== undefined && until > this.room.bytes) throw outgrown(this.room, until)
  }

  private zero(until: number): void {
    this.assertRoom(until)
    const from = this.written
    const blocks = until - from - ((until - from) % DEVICE_BLOCK_BYTES)
    const isAligned = from % DEVICE_BLOCK_BYTES === 0
    if (isAligned && blocks > 0 && zeroRange(this.fd, from, blocks)) this.written += blocks
    while (this.written < until) {
      const length = Math.min(HOLE_BYTES, until - this.written)
      writeAllAt(this.fd, ZEROS_ADDRESS, length, this.written)
      this.written += length
    }
  }
}

function tooSmall(room: DeviceRoom, size: number): OciUnpackError {
  return small(room, size, 'Nothing was written. Enlarge the device, or give a larger one.')
}

function outgrown(room: DeviceRoom, size: number): OciUnpackError {
  return small(
    room,
    size,
    'What was written must not be used. Enlarge the device, or give a larger one.'
  )
}

function small({ path, bytes }: DeviceRoom, size: number, hint: string): OciUnpackError {
  return new OciUnpackError('TARGET_TOO_SMALL', 'The device is too small for the file.', {
    facts: { path, expected: `at least ${size} bytes`, found: `${bytes} bytes` },
    hint
  })
}

/** A pipe that can be written to takes at least so much without making its writer wait (PIPE_BUF). */
const PIPE_BYTES = 4096
const PATIENCE_MS = 50

class StreamWriter extends BodyWriter {
  private readonly mayBlock: boolean
  private readonly pause: () => void

  constructor(mayBlock: boolean, pause: () => void) {
    super()
    this.mayBlock = mayBlock
    this.pause = pause
  }

  protected override put(address: number, length: number, at: number): void {
    this.zeros(at)
    this.send(address, length)
  }

  protected override endInHole(): void {
    this.zeros(this.size)
  }

  private zeros(until: number): void {
    while (this.written < until)
      this.send(ZEROS_ADDRESS, Math.min(HOLE_BYTES, until - this.written))
  }

  private send(address: number, length: number): void {
    for (let done = 0; done < length;) {
      const part = this.mayBlock ? Math.min(PIPE_BYTES, length - done) : length - done
      const isReady = !this.mayBlock || waitWritable(this.fd, PATIENCE_MS)
      const written = isReady ? writeSome(this.fd, address + done, part) : 0
      if (written === 0) this.pause()
      done += written
    }
    this.written += length
  }
}
