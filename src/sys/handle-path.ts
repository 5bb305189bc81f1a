/**
 * A path that leads through an open directory, whatever has the directory's name by now. It is for calls of node:fs,
 * and for threads, which share the descriptors of their process. Child processes cannot use it.
 */
import { readlinkSync } from 'node:fs'

const HANDLE = /\/proc\/self\/fd\/(\d+)/g

export function handlePath(fd: number): string {
  return `/proc/self/fd/${fd}`
}

/** The text with each such path replaced by the place that it leads to, for people. */
export function withoutHandles(text: string): string {
  return text.includes('/proc/self/fd/') ? text.replace(HANDLE, placeOf) : text
}

function placeOf(handle: string): string {
  try {
    return readlinkSync(handle)
  } catch {
    return handle
  }
}
