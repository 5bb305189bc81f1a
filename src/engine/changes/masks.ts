/** What a comparison leaves out. */
import { fromText, type ByteString } from '../../bytes.ts'
import { cleanPath } from '../../plan/names.ts'

export interface MaskOptions {
  /** Paths whose changes are left out, with all below them. */
  maskPaths?: readonly string[]
  /** Leave out changes in the image's volumes (`Config.Volumes`); default true. */
  maskVolumes?: boolean
}

/** Cleaned lexically: no link is followed. @param volumes of the image */
export function masksOf(
  { maskPaths = [], maskVolumes = true }: MaskOptions,
  volumes: readonly string[]
): ByteString[] {
  return [...maskPaths, ...(maskVolumes ? volumes : [])].map((mask) => cleanPath(fromText(mask)))
}
