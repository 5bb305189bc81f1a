/** Mounts a file system step by step: fsopen(2), fsconfig(2), fsmount(2), move_mount(2); Linux 5.2. */
import type { ByteString } from '../bytes.ts'
import { failed } from './failed-call.ts'
import { close } from './files.ts'
import { libcCalls as libc } from './libc.ts'
import { firstPath, secondPath } from './memory.ts'
import { read } from './read.ts'

/** The numbers are the same on every architecture. */
const SYS = { moveMount: 429, fsopen: 430, fsconfig: 431, fsmount: 432 } as const

const FSOPEN_CLOEXEC = 1
const FSMOUNT_CLOEXEC = 1
const FSCONFIG_SET_FLAG = 0
const FSCONFIG_SET_STRING = 1
const FSCONFIG_CMD_CREATE = 6
const MOUNT_ATTR_RDONLY = 1
/** What a mount does not do, by the names that mount(8) has for it. */
const RESTRICTIONS = { nosuid: 0x2, nodev: 0x4, noexec: 0x8 } as const
const MOVE_MOUNT_F_EMPTY_PATH = 0x04
const MOVE_MOUNT_T_EMPTY_PATH = 0x40
const UMOUNT_NOFOLLOW = 8

export type MountRestriction = keyof typeof RESTRICTIONS

export function isRestriction(name: string): name is MountRestriction {
  return Object.hasOwn(RESTRICTIONS, name)
}

/** Options in the order in which the file system needs them. */
export type MountOptions = readonly (readonly [name: string, value: string])[]

/**
 * A read-only file system that is mounted nowhere yet, as a descriptor; without a move it vanishes when that is closed.
 * @throws SyscallError; `explain` gets what the kernel said about it, if anything
 */
export function newMount(
  type: string,
  options: MountOptions,
  restrictions: readonly MountRestriction[],
  explain: (error: unknown, said: string) => unknown
): number {
  const attributes = restrictions.reduce(
    (bits, name) => bits | RESTRICTIONS[name],
    MOUNT_ATTR_RDONLY
  )
  const context = call('fsopen', SYS.fsopen, firstPath.string(type), FSOPEN_CLOEXEC)
  try {
    configure(context, FSCONFIG_SET_FLAG, 'ro')
    for (const [name, value] of options) configure(context, FSCONFIG_SET_STRING, name, value)
    call('fsconfig', SYS.fsconfig, context, FSCONFIG_CMD_CREATE)
    return call('fsmount', SYS.fsmount, context, FSMOUNT_CLOEXEC, attributes)
  } catch (error) {
    throw explain(error, messages(context))
  } finally {
    close(context)
  }
}

/** Shows a new mount at a directory that is open. @throws SyscallError */
export function moveMount(mount: number, target: number): void {
  const flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH
  call(
    'move_mount',
    SYS.moveMount,
    mount,
    firstPath.string(''),
    target,
    firstPath.string(''),
    flags
  )
}

/** Unmounts what is on top at a path, which may not be a link. @throws SyscallError, EBUSY where it is in use */
export function unmount(path: ByteString): void {
  if (libc.umount2(firstPath.string(path), UMOUNT_NOFOLLOW) < 0)
    throw failed('umount2', path, 'UMOUNT_NOFOLLOW')
}

function configure(context: number, command: number, name: string, value?: string): void {
  const text = value === undefined ? 0 : secondPath.string(value)
  call('fsconfig', SYS.fsconfig, context, command, firstPath.string(name), text)
}

function call(name: string, ...args: [number, number, number?, number?, number?, number?]): number {
  const [number, first, second = 0, third = 0, fourth = 0, fifth = 0] = args
  const result = libc.syscall(number, first, second, third, fourth, fifth)
  if (result < 0) throw failed(name, undefined)
  return result
}

/** What the kernel has to say; each read gives one message, and an error when there is none left. */
function messages(context: number): string {
  const said: string[] = []
  const buffer = Buffer.alloc(1024)
  for (;;)
    try {
      const length = read(context, buffer, 0, buffer.length, null)
      said.push(buffer.toString('latin1', 0, length).trim())
    } catch {
      return said.join('; ')
    }
}
