/** What one archive may make the reader hold in memory. Exceeding any of them is `LIMIT_EXCEEDED`. */
export interface TarLimits {
  /** Bytes of one PAX extended header. */
  paxBytes: number
  /** Bytes of all global PAX records in force together: every member pays for them. */
  globalBytes: number
  /** Bytes of one GNU long name or long link. */
  longNameBytes: number
  /** Extents in the map of one sparse file. */
  sparseExtents: number
}

/** 1 MiB is what Go's archive/tar (hence umoci, docker and containerd) accepts for an extended header. */
export const DEFAULT_TAR_LIMITS: TarLimits = {
  paxBytes: 1 << 20,
  globalBytes: 1 << 16,
  longNameBytes: 1 << 20,
  sparseExtents: 1 << 20
}
