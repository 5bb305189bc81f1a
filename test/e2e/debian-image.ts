import { ok } from '../support/run.ts'

const cached = new URL('../images/cached.sh', import.meta.url).pathname

/** What it takes to build the image and to look at the result. */
export const DEBIAN_NEEDS = [
  'root',
  'mmdebstrap',
  'umoci',
  'skopeo',
  'setfacl',
  'setfattr',
  'setcap',
  'python3'
] as const

/** The layout of the small Debian image (tags `debian`, `zstd`, `docker`, `device`), built at the first call. */
export function debianLayout(): string {
  return cachedLayout('small')
}

/** The same of either size; the large one has the tag `debian` only. */
export function cachedLayout(size: 'small' | 'large'): string {
  return ok(cached, size).stdout.trim()
}
