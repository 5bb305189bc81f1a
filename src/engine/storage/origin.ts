/** Which hooks made a bundle: only they can read it, refresh it and take it away. */
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { HOOKS_FILE } from '../../bundle/files.ts'
import { OciUnpackError } from '../../errors.ts'
import type { Extract, HookSet } from '../../hooks/calls.ts'
import type { BundleContext } from '../../hooks/contexts.ts'
import { withoutHandles } from '../../sys/handle-path.ts'
import { readFile } from '../../sys/read.ts'

export interface Origin {
  /** Name of the hook set. */
  readonly hooks: string
  readonly extract: Extract
  /** Of the root file system, as soon as finish has made it; a volume of its own is a mount, too. */
  readonly rootfs?: 'mount' | 'directory'
}

/** Whole or not at all: without it nobody knows who can take the bundle away. */
export function writeOrigin(
  { state }: Pick<BundleContext, 'state'>,
  { name, extract }: HookSet,
  rootfs?: Origin['rootfs']
): void {
  const origin: Origin = { hooks: name, extract, ...(rootfs === undefined ? {} : { rootfs }) }
  const file = join(state, HOOKS_FILE)
  writeFileSync(`${file}.new`, `${JSON.stringify(origin)}\n`)
  renameSync(`${file}.new`, file)
}

/** Only the hooks that made a bundle know what belongs to it. @throws USAGE */
export function assertOrigin(origin: Origin, hooks: HookSet | undefined, path: string): HookSet {
  if (hooks?.name === origin.hooks) return hooks
  throw new OciUnpackError('USAGE', 'The bundle was made by other hooks.', {
    facts: {
      path,
      expected: `the hooks "${origin.hooks}"`,
      found: hooks === undefined ? 'no hooks' : `the hooks "${hooks.name}"`
    },
    hint: 'Name their hooks.toml with --hooks FILE.'
  })
}

/** Undefined for a bundle that no hooks made. @throws BUNDLE_INVALID */
export function readOrigin({ state }: Pick<BundleContext, 'state'>): Origin | undefined {
  const file = join(state, HOOKS_FILE)
  let text: string
  try {
    text = readFile(file).toString()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw error
  }
  return parse(text, file)
}

function parse(text: string, file: string): Origin {
  try {
    const { hooks, extract, rootfs } = JSON.parse(text) as Record<string, unknown>
    if (typeof hooks === 'string' && isExtract(extract))
      return { hooks, extract, ...(isRootfs(rootfs) ? { rootfs } : {}) }
  } catch {
    // as below
  }
  throw new OciUnpackError('BUNDLE_INVALID', 'The record of the hooks that made it is damaged.', {
    facts: { file: withoutHandles(file), found: text.slice(0, 100) },
    hint: 'It says {"hooks": NAME, "extract": "rootfs", "layer" or "chain"}.'
  })
}

/** Bundles of earlier versions do not say. */
function isRootfs(value: unknown): value is NonNullable<Origin['rootfs']> {
  return value === 'mount' || value === 'directory'
}

function isExtract(value: unknown): value is Extract {
  return value === 'rootfs' || value === 'layer' || value === 'chain'
}
