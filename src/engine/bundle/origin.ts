/** Which hooks made a bundle: only they can read, refresh and remove it. */
import { renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { HOOKS_FILE } from '../../bundle/files.ts'
import { OciUnpackError } from '../../errors.ts'
import type { ExtractMode, HookSet } from '../../hooks/calls.ts'
import type { BundleContext } from '../../hooks/contexts.ts'
import { withoutHandles } from '../../sys/handle-path.ts'
import { readFile } from '../../sys/read.ts'

export interface Origin {
  /** Name of the hook set. */
  readonly hooks: string
  readonly extract: ExtractMode
  /** What the root file system is, once finish has made it; a separate volume counts as a mount. */
  readonly rootfs?: 'mount' | 'directory'
  /** Inode number of the state directory, as decimal digits: a copy of the bundle has another. */
  readonly inode?: string
}

/**
 * Written entirely or not at all, also where the power fails: without it, nothing says which hooks can remove the bundle.
 */
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
  writeFileSync(`${file}.new`, `${JSON.stringify(origin)}\n`, { flush: true })
  renameSync(`${file}.new`, file)
}

/**
 * What hooks keep for a bundle belongs to the original, not to a copy.
 * @param state path of the state directory
 * @throws BUNDLE_INVALID
 */
export function assertOriginal(origin: Origin | undefined, state: string, path: string): void {
  const inode = origin?.inode
  if (inode === undefined || inode === String(statSync(state, { bigint: true }).ino)) return
  throw new OciUnpackError('BUNDLE_INVALID', 'The bundle is a copy of one that hooks made.', {
    facts: { path, reason: 'what its hooks keep for it belongs to the original' },
    hint: 'Remove the copy with `rm -r --one-file-system`.'
  })
}

/** Undefined for a bundle that was made without hooks. @throws BUNDLE_INVALID */
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
    if (typeof hooks === 'string' && isExtractMode(extract))
      return {
        hooks,
        extract,
        ...(isRootfs(rootfs) ? { rootfs } : {}),
        ...(typeof inode === 'string' ? { inode } : {})
      }
  } catch {
    // as below
  }
  throw new OciUnpackError(
    'BUNDLE_INVALID',
    'The record of the hooks that made the bundle is damaged.',
    {
      facts: { file: withoutHandles(file), found: text.slice(0, 100) },
      hint: 'It must contain {"hooks": NAME, "extract": "rootfs", "layer", "chain" or "image"}.'
    }
  )
}

/** Bundles of earlier versions do not record this. */
function isRootfs(value: unknown): value is NonNullable<Origin['rootfs']> {
  return value === 'mount' || value === 'directory'
}

const EXTRACT_MODES: readonly ExtractMode[] = ['rootfs', 'layer', 'chain', 'image']

function isExtractMode(value: unknown): value is ExtractMode {
  return EXTRACT_MODES.includes(value as ExtractMode)
}
