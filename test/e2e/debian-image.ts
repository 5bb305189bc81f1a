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
  return ok(cached, 'small').stdout.trim()
}
