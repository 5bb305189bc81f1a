/** Where an exported file goes. */
import { closeSync, constants, fstatSync, lstatSync, openSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { display, fromText } from '../../bytes.ts'
import { OciUnpackError } from '../../errors.ts'
import type { OutputDescription } from '../../rootfs/output-writer.ts'
import { flush } from '../../sys/durable.ts'
import { fromNode, isErrno } from '../../sys/failure.ts'
import { truncate } from '../../sys/files.ts'
import { deviceSize, isReadOnlyDevice } from '../../sys/output.ts'
import { throwIfAborted } from '../operation/abort.ts'
import type { OnLeftover } from '../../workspace/leftovers.ts'
import { createNewFileAt } from '../../workspace/new-file-at.ts'

export interface ExportOutput {
  readonly description: OutputDescription
  /** Whether others see bytes before everything was verified. */
  readonly isOpenToAll: boolean
  /** Takes back what was written. False if that is not possible. */
  reset(): boolean
  /** What was written is right and complete: a new file gets its name. @throws TARGET_INVALID, SYSCALL_FAILED */
  publish(): void
  /** Removes a file that was not published, and closes what was opened. May be called again. */
  discard(): void
}

/**
 * @param target a path, or the descriptor of a stream
 * @throws TARGET_INVALID if something exists there that is neither a block device nor a stream, or a device that is
 * read-only; SYSCALL_FAILED, ABORTED
 */
export async function openOutput(
  target: string | number,
  { onLeftover, signal }: { onLeftover: OnLeftover; signal: AbortSignal | undefined }
): Promise<ExportOutput> {
  if (typeof target === 'number') return stream(target, () => undefined)
  const path = resolve(target)
  const status = statSync(path, { throwIfNoEntry: false })
  if (status === undefined) return newFile(path, onLeftover)
  if (status.isBlockDevice()) return device(path)
  if (!status.isFIFO() && !status.isCharacterDevice()) throw exists(path)
  const fd = status.isFIFO() ? await openFifo(path, signal) : openSync(path, constants.O_WRONLY)
  return stream(fd, () => closeSync(fd))
}

const FIFO_POLL_MS = 50

/** Waits until somebody reads. open(2) would wait, too, but hear no signal. */
async function openFifo(path: string, signal: AbortSignal | undefined): Promise<number> {
  for (;;) {
    throwIfAborted(signal)
    try {
      return openSync(path, constants.O_WRONLY | constants.O_NONBLOCK)
    } catch (error) {
      if (!isErrno(fromNode(error), 'ENXIO')) throw error
    }
    await sleep(FIFO_POLL_MS)
  }
}

function newFile(path: string, onLeftover: OnLeftover): ExportOutput {
  // a link to nothing is not followed
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) throw exists(path)
  const file = createNewFileAt(path, onLeftover)
  return {
    description: { kind: 'file', fd: file.fd },
    isOpenToAll: false,
    reset() {
      truncate(file.fd, 0)
      return true
    },
    publish() {
      try {
        file.publish({ replaces: false })
      } catch (error) {
        throw isErrno(error, 'EEXIST') ? exists(path) : error
      }
    },
    discard: () => file.discard()
  }
}

/** O_EXCL: the kernel refuses a device that is mounted or otherwise in use (open(2)). */
function device(path: string): ExportOutput {
  const fd = openSync(path, constants.O_RDWR | constants.O_EXCL)
  try {
    if (isReadOnlyDevice(fd)) throw readOnly(path)
    return writable(path, fd)
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

function writable(path: string, fd: number): ExportOutput {
  let isOpen = true
  return {
    description: {
      kind: 'device',
      fd,
      room: { path: display(fromText(path)), bytes: deviceSize(fd) }
    },
    isOpenToAll: true,
    reset: () => true,
    publish: () => flush(fd),
    discard() {
      if (isOpen) closeSync(fd)
      isOpen = false
    }
  }
}

function stream(fd: number, close: () => void): ExportOutput {
  const status = fstatSync(fd)
  const mayBlock = status.isFIFO() || status.isSocket() || status.isCharacterDevice()
  let isOpen = true
  return {
    description: { kind: 'stream', fd, mayBlock },
    isOpenToAll: true,
    reset: () => false,
    publish: () => undefined,
    discard() {
      if (isOpen) close()
      isOpen = false
    }
  }
}

function readOnly(path: string): OciUnpackError {
  return new OciUnpackError('TARGET_INVALID', 'The device is read-only.', {
    facts: { path },
    hint: 'Nothing was written. Make the device writable (blockdev --setrw), or give another.'
  })
}

function exists(path: string): OciUnpackError {
  return new OciUnpackError('TARGET_INVALID', 'Something already exists where the file is to go.', {
    facts: { path },
    hint: 'An existing file is never overwritten. Remove it, or give another path.'
  })
}
