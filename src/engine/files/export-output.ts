/** Where an exported file goes. */
import { closeSync, constants, fstatSync, lstatSync, openSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { display, fromText } from '../../bytes.ts'
import { aboutWriting } from '../../rootfs/output-errors.ts'
import type { OutputDescription } from '../../rootfs/output-writer.ts'
import { flush } from '../../sys/durable.ts'
import { fromNode, isErrno } from '../../sys/failure.ts'
import { truncate } from '../../sys/files.ts'
import { deviceSize, isReadOnlyDevice } from '../../sys/output.ts'
import { throwIfAborted } from '../operation/abort.ts'
import type { OnLeftover } from '../../workspace/leftovers.ts'
import { createNewFileAt } from '../../workspace/new-file-at.ts'
import { aboutOpening, exists, isDirectory, noFileName, readOnly } from './output-faults.ts'

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
export async function openOutput(target: string | number, way: OpenWay): Promise<ExportOutput> {
  if (typeof target === 'number') return stream(target, nameOfStream(target), () => undefined)
  try {
    return await openPath(target, way)
  } catch (error) {
    throw aboutOpening(fromNode(error), target)
  }
}

interface OpenWay {
  /** The last name of the file in the image, for hints; undefined if it is not known. */
  nameInImage: string | undefined
  onLeftover: OnLeftover
  signal: AbortSignal | undefined
}

async function openPath(
  target: string,
  { nameInImage, onLeftover, signal }: OpenWay
): Promise<ExportOutput> {
  const path = resolve(target)
  const status = statSync(target, { throwIfNoEntry: false })
  if (status?.isDirectory() === true) throw isDirectory(target, nameInImage)
  if (status === undefined) {
    if (NAMES_DIRECTORY.test(target)) throw noFileName(target)
    return newFile(path, target, onLeftover)
  }
  if (status.isBlockDevice()) return device(path, target)
  if (!status.isFIFO() && !status.isCharacterDevice()) throw exists(target)
  const fd = status.isFIFO() ? await openFifo(path, signal) : openSync(path, constants.O_WRONLY)
  return stream(fd, display(fromText(target)), () => closeSync(fd))
}

/** Only a directory can have such a path (path_resolution(7)). */
const NAMES_DIRECTORY = /(?:^|\/)\.{0,2}$/

const STANDARD_OUTPUT = 1

function nameOfStream(fd: number): string {
  return fd === STANDARD_OUTPUT ? 'standard output' : `descriptor ${fd}`
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

function newFile(path: string, target: string, onLeftover: OnLeftover): ExportOutput {
  // a link to nothing is not followed
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) throw exists(target)
  const file = createNewFileAt(path, onLeftover)
  const name = display(fromText(target))
  return {
    description: { kind: 'file', fd: file.fd, name },
    isOpenToAll: false,
    reset() {
      truncate(file.fd, 0)
      return true
    },
    publish() {
      try {
        file.publish({ replaces: false })
      } catch (error) {
        throw isErrno(error, 'EEXIST') ? exists(target) : aboutWriting(error, name)
      }
    },
    discard: () => file.discard()
  }
}

/** O_EXCL: the kernel refuses a device that is mounted or otherwise in use (open(2)). */
function device(path: string, target: string): ExportOutput {
  const fd = openSync(path, constants.O_RDWR | constants.O_EXCL)
  try {
    if (isReadOnlyDevice(fd)) throw readOnly(target)
    return writable(target, fd)
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

function writable(target: string, fd: number): ExportOutput {
  const name = display(fromText(target))
  let isOpen = true
  return {
    description: {
      kind: 'device',
      fd,
      name,
      room: { path: name, bytes: deviceSize(fd) }
    },
    isOpenToAll: true,
    reset: () => true,
    publish() {
      try {
        flush(fd)
      } catch (error) {
        throw aboutWriting(error, name)
      }
    },
    discard() {
      if (isOpen) closeSync(fd)
      isOpen = false
    }
  }
}

function stream(fd: number, name: string, close: () => void): ExportOutput {
  const status = fstatSync(fd)
  const mayBlock = status.isFIFO() || status.isSocket() || status.isCharacterDevice()
  let isOpen = true
  return {
    description: { kind: 'stream', fd, mayBlock, name },
    isOpenToAll: true,
    reset: () => false,
    publish: () => undefined,
    discard() {
      if (isOpen) close()
      isOpen = false
    }
  }
}
