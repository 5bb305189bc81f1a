/** Which hooks made a bundle: only they can read it, refresh it and take it away. */
import { renameSync, statSync, writeFileSync } from 'node:fs'
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
  /** Inode of the state directory, in digits: a copy of the bundle has another. */
  readonly inode?: string
}

/** Whole or not at all: without it nobody knows who can take the bundle away. */
export function writeOrigin(
  { state }: Pick<BundleContext, 'state'>,
  { name, extract }: HookSet,
  rootfs?: Origin['rootfs']
): void {
  const inode = String(statSync(state, { bigint: true }).ino)
  const origin: Origin = {
    hooks: name,
    extract,
    ...(rootfs === undefined ? {} : { rootfs }),
    inode
  }
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
    hint: 'Name their hooks.toml with {hooks}.'
  })
}

/**
 * What hooks keep of a bundle belongs to that one, and not to a copy.
 * @param state path of the state directory
 * @throws BUNDLE_INVALID
 */
export function assertOriginal({ inode }: Origin, state: string, path: string): void {
  if (inode === undefined || inode === String(statSync(state, { bigint: true }).ino)) return
  throw new OciUnpackError('BUNDLE_INVALID', 'The bundle is a copy of one that hooks made.', {
    facts: { path, reason: 'what its hooks keep belongs to the original' },
    hint: 'Remove the copy with `rm -r --one-file-system`.'
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
    const { hooks, extract, rootfs, inode } = JSON.parse(text) as Record<string, unknown>
    if (typeof hooks === 'string' && isExtract(extract))
      return {
        hooks,
        extract,
        ...(isRootfs(rootfs) ? { rootfs } : {}),
        ...(typeof inode === 'string' ? { inode } : {})
      }
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
