import { fromText } from '../../src/bytes.ts'
import { close, openOperatorDirectory } from '../../src/sys/files.ts'
import { makeTemporary, removeTemporary } from './temporary.ts'

/** Runs with a descriptor of a directory. */
export function withOpen<T>(path: string, work: (fd: number) => T): T {
  const fd = openOperatorDirectory(fromText(path))
  try {
    return work(fd)
  } finally {
    close(fd)
  }
}

/** The same for what takes its time. */
export async function withOpenAsync<T>(path: string, work: (fd: number) => Promise<T>): Promise<T> {
  const fd = openOperatorDirectory(fromText(path))
  try {
    return await work(fd)
  } finally {
    close(fd)
  }
}

/** Runs with a new directory, open, and removes it whatever happens. */
export function withScratch<T>(work: (fd: number, path: string) => T): T {
  const path = makeTemporary()
  try {
    return withOpen(path, (fd) => work(fd, path))
  } finally {
    removeTemporary(path)
  }
}
