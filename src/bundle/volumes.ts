/**
 * The image's volumes in the bundle's config.json: unpack gives each a tmpfs mount from `none`, and no other mount of
 * the template has that source.
 */
export function configuredVolumes(config: Uint8Array | undefined): string[] {
  const mounts = config === undefined ? undefined : mountsOf(Buffer.from(config).toString('utf8'))
  if (!Array.isArray(mounts)) return []
  return mounts.flatMap((mount: unknown): string[] => {
    const { type, source, destination } = (mount ?? {}) as Record<string, unknown>
    const isVolume = type === 'tmpfs' && source === 'none' && typeof destination === 'string'
    return isVolume ? [destination] : []
  })
}

/** Accepts anything, because users may edit the file, and only looks for volumes. */
function mountsOf(text: string): unknown {
  try {
    return (JSON.parse(text) as { mounts?: unknown }).mounts
  } catch {
    return undefined
  }
}
