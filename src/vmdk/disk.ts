/** A disk that is made of files, as its descriptor says it and as a reader of the descriptor sees it. */
import type { ByteString } from '../bytes.ts'

/** The unit of everything in a descriptor. */
export const SECTOR = 512

/** The geometry that all writers use: of sectors in a track, and of tracks in a cylinder. */
export const GEOMETRY = { sectors: 63, heads: 16 } as const
export const CYLINDER: number = GEOMETRY.sectors * GEOMETRY.heads

/** A file that is part of a disk, from its first byte to its last. */
export interface DiskFile {
  /** Relative to the directory of the descriptor. */
  name: ByteString
  /** Bytes. */
  size: number
}

/** A part of a file that a reader shows at the next free place of the disk. */
export interface Extent {
  /** Zeros have none. */
  name?: ByteString
  sectors: number
  /** The first byte in the file. */
  start: number
}

export interface Disk {
  extents: readonly Extent[]
  /** What a guest takes for the length of the disk. */
  sectors: number
}

/**
 * How a program reads a descriptor: the disk that its guests see, or why there is none, in words. A model takes every
 * descriptor as the program does, with what the program misunderstands.
 */
export type Reader = (descriptor: ByteString) => Disk | string

/** An extent in the words of a descriptor. */
export function extent(name: ByteString, sectors: number, start: number): Extent {
  return { name, sectors, start }
}

export function totalSectors(extents: readonly Extent[]): number {
  return extents.reduce((sum, { sectors }) => sum + sectors, 0)
}
