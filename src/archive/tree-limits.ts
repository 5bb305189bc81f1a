/** The limits for an archive of a root file system. */
import type { TarLimits } from '../tar/limits.ts'

/** Only what keeps memory in bounds: whoever reads the layer has limits of its own, which can be raised. */
export const TREE_LIMITS: Partial<TarLimits> = { paxBytes: 1 << 26 }
