/**
 * A path that leads through an open directory, whatever has its name by now: for calls of node:fs, and for threads, which
 * share the descriptors of their process. Children of the process cannot use it.
 */
import { readlinkSync } from 'node:fs'

const HANDLE = /\/proc\/self\/fd\/(\d+)/g

export function handlePath(fd: number): string {
  return `/proc/self/fd/${fd}`
}

/** A text for people, in which each such path reads as the place that it leads to. */
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
