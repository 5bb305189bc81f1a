/** Block devices whose content is in a file: loop(4). */
import { closeSync, openSync } from 'node:fs'
import { failed, failedWith } from './failed-call.ts'
import { libcCalls as libc } from './libc.ts'
import { structure } from './memory.ts'

const LOOP_CTL_GET_FREE = 0x4c82
const LOOP_CONFIGURE = 0x4c0a
const LO_FLAGS_READ_ONLY = 1
const LO_FLAGS_AUTOCLEAR = 4

/** Of struct loop_config, which is laid out the same on every architecture. */
const CONFIG = { size: 304, fd: 0, flags: 8 + 52 } as const

/** Other programs may take a device first. */
const ATTEMPTS = 64

export interface LoopDevice {
  path: string
  /** Keeps the device. When it is closed and nothing is mounted from it, the kernel frees the device. */
  fd: number
}

/** Makes a read-only device of an open file. @throws SyscallError, errors of node:fs (Linux before 5.8: EINVAL) */
export function openLoopDevice(file: number): LoopDevice {
  const control = openSync('/dev/loop-control', 'r+')
  try {
    for (let attempt = 1; ; attempt++) {
      const device = attach(control, file, attempt === ATTEMPTS)
      if (device !== undefined) return device
    }
  } finally {
    closeSync(control)
  }
}

/** Undefined if the device that was free is taken by now. */
function attach(control: number, file: number, isLast: boolean): LoopDevice | undefined {
  const number = libc.ioctl(control, LOOP_CTL_GET_FREE, 0)
  if (number < 0) throw failed('ioctl', '/dev/loop-control', 'LOOP_CTL_GET_FREE')
  const path = `/dev/loop${number}`
  const fd = openSync(path, 'r')
  if (configure(fd, file)) return { path, fd }
  const isTaken = failedWith('EBUSY') && !isLast
  const error = failed('ioctl', path, 'LOOP_CONFIGURE')
  closeSync(fd)
  if (isTaken) return undefined
  throw error
}

function configure(fd: number, file: number): boolean {
  const config = structure.view().fill(0, 0, CONFIG.size)
  config.writeUInt32LE(file, CONFIG.fd)
  config.writeUInt32LE(LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR, CONFIG.flags)
  return libc.ioctl(fd, LOOP_CONFIGURE, structure.address) === 0
}
