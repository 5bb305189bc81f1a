/** Selects the bundle of a directory that is in use. This file tells the story. */
import { existsSync, realpathSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { sourceManifest } from '../bundle/metadata.ts'
import { display, fromText } from '../bytes.ts'
import { OciUnpackError } from '../errors.ts'
import type { Digest } from '../image/digest.ts'
import { close, openOperatorDirectory } from '../sys/files.ts'
import { handlePath } from '../sys/handle-path.ts'
import { inodeKey, status } from '../sys/status.ts'
import { contextAt } from './bundle/bundle-site.ts'
import { metadataAt, openBundleDirectory, withBundleDirectory } from './bundle/open-bundle.ts'
import { readOrigin } from './bundle/origin.ts'
import { assertWhole } from './bundle/whole-bundle.ts'
import { isUsableName, SelectingLink, whileSettled } from './inventory/selecting-link.ts'
import { asked } from './operation/asked.ts'
import type { OnEvent } from './operation/events.ts'
import type { HooksOption } from './operation/open-hooks.ts'
import { requireOptions } from './operation/required-options.ts'
import type { Selected } from './storage/layer-storage.ts'
import { withStorage } from './storage/storages.ts'

export interface SelectBundleOptions {
  /** Directory of a complete bundle. */
  bundle: string
  /** Name of the symbolic link beside it; default `selected`. */
  link?: string
  /** The hooks that are told of it, whether or not they made the bundle. */
  hooks?: HooksOption
  signal?: AbortSignal
  onEvent?: OnEvent
}

export interface SelectBundleResult {
  /** Absolute path of the symbolic link. */
  link: string
  /** Absolute path of the bundle, without links. */
  bundle: string
  /** The one that was selected before, if it was another. */
  oldBundle?: string
}

/**
 * Lets the symbolic link beside a bundle lead to it, then calls the hooks' `selected`. Going back is to select the old bundle. The link leads to the
 * old bundle or to the new one at any time. If the hooks fail, it leads to the old one again. If the process is killed before they are done, it
 * leads to the new one, and selecting that again tells the hooks of the same old bundle.
 * @throws BUNDLE_INVALID if there is no complete bundle; TARGET_INVALID if the link's name belongs to something else; USAGE; HOOKS_INVALID,
 * HOOKS_UNSAFE, HOOK_FAILED, HOOK_TIMEOUT, ABORTED
 */
export async function selectBundle(options: SelectBundleOptions): Promise<SelectBundleResult> {
  requireOptions(options, { bundle: 'text' }, { link: 'text' })
  const { signal, onEvent = () => undefined } = options
  return asked({}, () => {
    const place = placeOf(options)
    return withDirectory(place, (directory) =>
      withStorage(options, onEvent, (storage) => {
        const key = inodeKey(status(directory, ''))
        const using = { ...place, directory, signal, onEvent }
        return storage.whileSelecting(key, (tell) => select(using, tell), signal)
      })
    )
  })
}

interface Place {
  /** Without links in it. */
  bundle: string
  link: string
}

interface Using extends Place {
  /** Descriptor of the directory that the bundle and the link are in. */
  directory: number
  signal: AbortSignal | undefined
  onEvent: OnEvent
}

/** @throws USAGE, BUNDLE_INVALID */
function placeOf({ bundle, link = 'selected' }: SelectBundleOptions): Place {
  const real = realPath(bundle)
  if (!isUsableName(link) || link === basename(real)) throw unusableName(link)
  return { bundle: real, link: join(dirname(real), link) }
}

function realPath(bundle: string): string {
  const fd = openBundleDirectory(resolve(bundle))
  try {
    return realpathSync(handlePath(fd))
  } finally {
    close(fd)
  }
}

async function withDirectory<T>(
  { bundle }: Place,
  act: (directory: number) => Promise<T>
): Promise<T> {
  const directory = openOperatorDirectory(fromText(dirname(bundle)))
  try {
    return await act(directory)
  } finally {
    close(directory)
  }
}

async function select(
  using: Using,
  tell: (selected: Selected) => Promise<void>
): Promise<SelectBundleResult> {
  const { bundle, link, directory, signal } = using
  const selecting = new SelectingLink(directory, basename(link))
  // not while hooks are told: they may call programs that remove other bundles of the directory
  const selected = await whileSettled(dirname(link), signal, () => replace(using, selecting))
  try {
    await tell(selected)
  } catch (error) {
    await whileSettled(dirname(link), undefined, () => undo(using, selecting, selected))
    throw error
  }
  await whileSettled(dirname(link), undefined, () => selecting.forget(bundle))
  const { old } = selected
  return { link, bundle, ...(old === undefined ? {} : { oldBundle: old.bundle }) }
}

/** Nobody deletes the bundle meanwhile. */
function replace(
  { bundle, link, signal, onEvent }: Using,
  selecting: SelectingLink
): Promise<Selected> {
  return withBundleDirectory(bundle, { use: 'shared', signal, onEvent }, (found) => {
    const { metadata } = found
    assertWhole({ ...found, origin: readOrigin(contextAt(bundle)) })
    const other = selecting.other(bundle)
    const manifestDigest = sourceManifest(metadata).digest as Digest
    const old = other === undefined ? undefined : { bundle: other, manifestDigest: digestAt(other) }
    selecting.replace(bundle)
    return Promise.resolve({ bundle, link, manifestDigest, old })
  })
}

function digestAt(bundle: string): Digest | undefined {
  try {
    return sourceManifest(metadataAt(bundle)).digest as Digest
  } catch {
    return undefined
  }
}

/** A link that leads nowhere helps nobody: if the hooks have deleted the old bundle, the new one stays selected. */
function undo({ bundle, link, onEvent }: Using, selecting: SelectingLink, { old }: Selected): void {
  const isGone = old !== undefined && !existsSync(old.bundle)
  if (isGone) selecting.forget(bundle)
  else if (!selecting.undo(bundle)) return
  const message = isGone
    ? 'The bundle that was selected before is gone, so the new one stays selected.'
    : 'The selection was undone.'
  onEvent({ type: 'warning', message, facts: { path: link } })
}

function unusableName(link: string): OciUnpackError {
  return new OciUnpackError('USAGE', 'The link cannot have this name.', {
    facts: { found: display(fromText(link)) },
    hint: 'Give {link} one name of at most 200 bytes, without a slash or a dot in front, that is not the name of the bundle.'
  })
}
