/** Limits on what one archive may make the reader keep in memory. Exceeding one is `LIMIT_EXCEEDED`. */
export interface TarLimits {
  /** Size of one PAX extended header, in bytes. */
  paxBytes: number
  /** Size of all current global PAX records together, in bytes: every member has to look through them. */
  globalBytes: number
  /** Size of one GNU long name or long link, in bytes. */
  longNameBytes: number
  /** Number of extents in the map of one sparse file. */
  sparseExtents: number
}

/** 1 MiB is what Go's archive/tar (and so umoci, docker and containerd) accepts for an extended header. */
export const DEFAULT_TAR_LIMITS: TarLimits = {
  paxBytes: 1 << 20,
  globalBytes: 1 << 16,
  longNameBytes: 1 << 20,
  sparseExtents: 1 << 20
}
