/** Which bundles are old enough to be removed. Pure. */

/** A bundle of a known age. */
export interface Dated {
  name: string
  image: { name: string; place?: string }
  /** RFC 3339, in UTC. */
  unpacked: string
}

/**
 * The names of the newest bundles of each image. Bundles belong together if their images are in the same place, since tags are versions; those
 * that do not say where their image is, if it has the same name. Of two with the same time, the one with the higher name is newer.
 * @param keep how many of each, at least 1
 */
export function newestOf(bundles: readonly Dated[], keep: number): Set<string> {
  const groups = new Map<string, Dated[]>()
  for (const bundle of bundles) {
    const key = keyOf(bundle)
    groups.set(key, [...(groups.get(key) ?? []), bundle])
  }
  const newest = [...groups.values()].flatMap((group) => group.sort(byAge).slice(-keep))
  return new Set(newest.map(({ name }) => name))
}

/** Oldest first. */
export function byAge(
  a: Pick<Dated, 'name' | 'unpacked'>,
  b: Pick<Dated, 'name' | 'unpacked'>
): number {
  if (a.unpacked !== b.unpacked) return a.unpacked < b.unpacked ? -1 : 1
  return a.name < b.name ? -1 : 1
}

function keyOf({ image: { name, place } }: Dated): string {
  return place === undefined ? `name ${name}` : `place ${place}`
}
