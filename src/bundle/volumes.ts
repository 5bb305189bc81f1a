/** The volumes of an image, and of a bundle's config.json. */
import { posix } from 'node:path'
import { compareBytes, fromText } from '../bytes.ts'

/**
 * Where volumes are, as a runtime needs it (runtime-spec config.md, mounts): each path once, absolute, without `.`, `..`
 * and repeated slashes, in order. Images contain anything: `data`, `/data/` and even nothing at all. The root file
 * system itself cannot be a volume.
 */
export function volumePaths(volumes: readonly string[]): string[] {
  const paths = new Set(volumes.map(absolute))
  paths.delete('/')
  return [...paths].sort((a, b) => compareBytes(fromText(a), fromText(b)))
}

/** As links do, `..` stays inside the root. */
function absolute(path: string): string {
  return posix.normalize(`/${path}`).replace(/(?<=.)\/$/, '')
}

/**
 * The image's volumes in the bundle's config.json: unpack gives each a tmpfs mount from `none`, and no other mount of
 * the template has that source.
 */
export function configuredVolumes(config: Uint8Array | undefined): string[] {
  const mounts = config === undefined ? undefined : mountsOf(Buffer.from(config).toString('utf8'))
  if (!Array.isArray(mounts)) return []
  const destinations = mounts.flatMap((mount: unknown): string[] => {
    const { type, source, destination } = (mount ?? {}) as Record<string, unknown>
    const isVolume = type === 'tmpfs' && source === 'none' && typeof destination === 'string'
    return isVolume ? [destination] : []
  })
  return volumePaths(destinations)
}

/** Accepts anything, because users may edit the file, and only looks for volumes. */
function mountsOf(text: string): unknown {
  try {
    return (JSON.parse(text) as { mounts?: unknown }).mounts
  } catch {
    return undefined
  }
}
