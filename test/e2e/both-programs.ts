/** The same work by Debian's umoci and by the built program, each on its own copy of a layout. */
import { cpSync, readFileSync, readdirSync } from 'node:fs'
import type { Descriptor } from '../support/image-builder.ts'
import { run, type Run } from '../support/run.ts'
import { removeTemporary } from '../support/temporary.ts'
import { ociUnpack } from './cli.ts'

export type Program = (...args: string[]) => Run

const PROGRAMS: Readonly<Record<'ours' | 'theirs', Program>> = {
  ours: ociUnpack,
  theirs: (...args) => run('umoci', ...args)
}

/** What both leave and say, where `act` looks at it. Copies and whatever lies beside them are gone at the next call. */
export function inBoth<T>(
  layout: string,
  act: (copy: string, program: Program) => T
): Record<keyof typeof PROGRAMS, T> {
  const one = (name: keyof typeof PROGRAMS): T => {
    const directory = `${layout}-${name}`
    removeTemporary(directory)
    cpSync(layout, `${directory}/layout`, { recursive: true, preserveTimestamps: true })
    return act(`${directory}/layout`, PROGRAMS[name])
  }
  return { ours: one('ours'), theirs: one('theirs') }
}

export interface Documents {
  index: {
    mediaType?: string | undefined
    manifests: (Descriptor & { annotations?: Record<string, string> })[]
  }
  manifest: { config: Descriptor; layers: Descriptor[] }
  config: unknown
}

/** With their digests in them, so bytes that are not equal show. */
export function documents(layout: string, tag: string): Documents {
  // umoci names the type of an index since 0.4.8
  const index = { ...(json(`${layout}/index.json`) as Documents['index']), mediaType: undefined }
  const entry = index.manifests.find(
    ({ annotations = {} }) => annotations['org.opencontainers.image.ref.name'] === tag
  )!
  const blob = ({ digest }: Descriptor): unknown =>
    json(`${layout}/blobs/${digest.replace(':', '/')}`)
  const manifest = blob(entry) as Documents['manifest']
  return { index, manifest, config: blob(manifest.config) }
}

/** Names of all files, and the index. */
export function contents(layout: string): string[] {
  return readdirSync(layout, { recursive: true, encoding: 'utf8' })
    .sort()
    .concat(readFileSync(`${layout}/index.json`, 'utf8'))
}

function json(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'))
}
