/** What a run left: names, mounts, processes, and what it said. */
import { existsSync, lstatSync, readFileSync, readdirSync, readlinkSync } from 'node:fs'
import { library } from '../support/dist.ts'

/** What no run may say, however it ended. */
const UNFIT = /internal error|\n\s+at |EINTR|interrupted system call|^node:/m

export function unfitSentence(stderr: string): string | undefined {
  return UNFIT.test(stderr) ? `it said: ${stderr.split('\n').slice(0, 2).join(' ')}` : undefined
}

/** Everything in a directory by name. Blobs of a layout are compared as such, and a bundle's tree by its content. */
export function namesIn(path: string, below = ''): string[] {
  return readdirSync(`${path}/${below}`)
    .sort()
    .flatMap((entry) => {
      const name = below === '' ? entry : `${below}/${entry}`
      const known = steady(name)
      const isTree = /(^|\/)(rootfs|layers|upper|base|now)$|^store\/images$/.test(name)
      const isDirectory = lstatSync(`${path}/${name}`).isDirectory()
      return isDirectory && !isTree ? [known, ...namesIn(path, name)] : [known]
    })
}

/** What is made up, or follows from how often a command ran, stands there as a star. */
function steady(name: string): string {
  return name
    .replace(/(store\/bundles)\/[^/]+/, '$1/*')
    .replace(/(base)\.[A-Za-z0-9]{6}$/, '$1.*')
    .replace(/(manifests\/[^/]+)\/.+$/, '$1/*')
    .replace(/(blobs\/sha256)\/[0-9a-f]{64}$/, '$1/*')
}

/** Names that belong to an operation that is not over. */
export const LEFTOVER =
  /(^|\/)(\.oci-unpack-|\.[^/]*\.oci-unpack-|\.umoci-|staged\/.|bundle\/[^/]*\.new$)/

export function leftovers(box: string): string[] {
  return namesIn(box).filter((name) => LEFTOVER.test(name))
}

/** Mount points below a directory, the innermost last. */
export function mountsBelow(path: string): string[] {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').split('\n').slice(0, -1)
  const points = lines.map((line) => line.split(' ')[4]!)
  return points.filter((point) => point.startsWith(`${path}/`)).sort()
}

/** Processes at work in a directory, or told about it. */
export function processesIn(path: string): string[] {
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid) && pid !== String(process.pid))
    .filter((pid) => {
      const said = attempt(() => readFileSync(`/proc/${pid}/cmdline`, 'latin1'))
      const inside = attempt(() => readlinkSync(`/proc/${pid}/cwd`))
      return said.includes(`${path}/`) || inside === path || inside.startsWith(`${path}/`)
    })
    .map((pid) => `${pid} ${attempt(() => readFileSync(`/proc/${pid}/cmdline`, 'latin1'))}`)
}

/** Processes end while they are looked at. */
function attempt(read: () => string): string {
  try {
    return read()
  } catch {
    return ''
  }
}

/** Tags and what they lead to, whole as it is; an archive or a layout. */
export async function imagesIn(layout: string): Promise<string> {
  if (!existsSync(layout.replace(/^\w+-archive:/, ''))) return 'absent'
  const images = await library.listImages({ layout })
  if (images.length === 0) return 'empty'
  const { ok, blobs } = await library.verify({ layout, jobs: 0 })
  const damaged = blobs.filter(({ status }) => status !== 'ok').map(({ digest }) => digest)
  const tags = images.map(({ tag, descriptor }) => `${String(tag)} ${descriptor.digest}`)
  return [...tags.sort(), ok ? 'whole' : `damaged: ${damaged.join(' ')}`].join('\n')
}

export function blobsIn(layout: string): string {
  return existsSync(layout) ? readdirSync(`${layout}/blobs/sha256`).sort().join('\n') : ''
}
