/** A bundle goes: first what hooks made for it, then our files. A crash on the way leaves a bundle that can be deleted. */
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  statSync,
  writeFileSync
} from 'node:fs'
import { join, resolve } from 'node:path'
import { METADATA_FILE, UNFINISHED_FILE } from '../../bundle/files.ts'
import { parseMetadata, sourceManifest } from '../../bundle/metadata.ts'
import { OciUnpackError, withFacts } from '../../errors.ts'
import type { HookSet } from '../../hooks/calls.ts'
import type { BundleContext } from '../../hooks/contexts.ts'
import { fromNode } from '../../sys/failure.ts'
import type { OnEvent } from '../events.ts'
import { readIfRegular } from '../open-bundle.ts'
import { removeIfEmpty } from '../workspace.ts'
import { contextAt } from './bundle-site.ts'
import { assertUnclaimed, openMark, readMark } from './mark.ts'
import { withHooks, type HooksOption } from './open-hooks.ts'
import { assertOrigin, readOrigin } from './origin.ts'
import { assertRemovable, removeBundleFiles } from './remove-bundle.ts'
import { assertGiven } from '../given.ts'

export interface DeleteBundleOptions {
  /** Directory of a bundle that unpack made, ours or umoci's; also one that was not finished, or deleted in part. */
  bundle: string
  /** Those that made the bundle; not needed where none did. */
  hooks?: HooksOption
  signal?: AbortSignal
  onEvent?: OnEvent
}

/**
 * Removes a bundle: what hooks have made for it, its root file system and the files of an unpack. Layers stay in their
 * store. Files of others in the directory stay, and with them the directory.
 * @throws BUNDLE_INVALID where there is none; BUNDLE_BUSY where something is mounted in it; USAGE for other hooks than
 * those that made it; BUNDLE_EXISTS while it is being made; HOOK_FAILED, HOOK_TIMEOUT, ABORTED
 */
export async function deleteBundle(options: DeleteBundleOptions): Promise<void> {
  assertGiven(options, { bundle: 'text' })
  if (options.bundle === '') throw new OciUnpackError('USAGE', 'The path of the bundle is empty.')
  const context = contextAt(resolve(options.bundle))
  const { hooks, signal, onEvent = () => undefined } = options
  try {
    assertBundle(context)
    await withHooks(hooks, onEvent, (set) =>
      whileLocked(context, (digest) => remove(context, digest, set, signal))
    )
  } catch (error) {
    throw withFacts(fromNode(error), { path: context.bundle })
  }
}

async function remove(
  context: BundleContext,
  digest: string,
  hooks: HookSet | undefined,
  signal: AbortSignal | undefined
): Promise<void> {
  const origin = readOrigin(context)
  if (origin !== undefined)
    await assertOrigin(origin, hooks, context.bundle).call('delete', context, signal)
  assertRemovable(context)
  mark(context, digest)
  removeBundleFiles(context, digest)
  removeIfEmpty(context.bundle)
}

/** From now on it is no whole bundle: an unpack there may go on with the removal. */
function mark({ state }: BundleContext, digest: string): void {
  const file = join(state, UNFINISHED_FILE)
  if (existsSync(file)) return
  mkdirSync(state, { recursive: true, mode: 0o700 })
  writeFileSync(file, digest)
}

/** Nobody else makes the bundle or deletes it meanwhile. Gives the digest of its image manifest, `''` if not known. */
async function whileLocked(
  context: BundleContext,
  act: (digest: string) => Promise<void>
): Promise<void> {
  const directory = openSync(context.bundle, constants.O_RDONLY | constants.O_DIRECTORY)
  const mark = openMark(context.state)
  try {
    assertUnclaimed(directory, context)
    if (mark !== undefined) assertUnclaimed(mark, context)
    await act((mark === undefined ? '' : readMark(mark)) || digestOf(context))
  } finally {
    if (mark !== undefined) closeSync(mark)
    closeSync(directory)
  }
}

function digestOf({ bundle }: BundleContext): string {
  const metadata = readIfRegular(join(bundle, METADATA_FILE))
  return metadata === undefined ? '' : sourceManifest(parseMetadata(metadata.toString())).digest
}

/** An empty directory is what a deletion leaves that was stopped just before its end. */
function assertBundle({ bundle, state }: BundleContext): void {
  const isDirectory = statSync(bundle, { throwIfNoEntry: false })?.isDirectory() === true
  if (isDirectory && readdirSync(bundle).length === 0) return
  if (isDirectory && (existsSync(join(bundle, METADATA_FILE)) || existsSync(state))) return
  throw new OciUnpackError('BUNDLE_INVALID', 'There is no bundle.', {
    facts: { path: bundle },
    hint: 'Name a directory that unpack made; raw unpack makes no bundle.'
  })
}
