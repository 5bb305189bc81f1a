/** Checks the directories and images that hooks name before anything is trusted or written. */
import { lstatSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { OciUnpackError, withCause, type Facts } from '../../errors.ts'
import type { ExtractMode } from '../../hooks/calls.ts'
import type { HookLayer } from '../../hooks/contexts.ts'
import type { Digest } from '../../image/digest.ts'
import { isWithin } from '../../sys/is-within.ts'
import { layerBlocks } from '../erofs/joined-images.ts'
import { imageFormat } from './image-format.ts'

/** A committed layer must at least be a directory, or the image of that layer. @throws HOOK_ANSWER_INVALID */
export function checkCommitted(
  extract: ExtractMode,
  path: string,
  { diffId }: HookLayer,
  facts: Facts
): void {
  if (extract === 'image') checkLayerImage(path, diffId, facts)
  else if (!isDirectory(path) && !(extract === 'layer' && isImage(path)))
    throw invalid(path, `the layer that it reports as committed is not ${WANTED[extract]}`, facts)
}

const WANTED = {
  layer: 'a directory there, or an image with squashfs or EROFS',
  chain: 'a directory there',
  rootfs: 'a directory there'
} as const

function isImage(path: string): boolean {
  const isThere = statSync(path, { throwIfNoEntry: false }) !== undefined
  return isThere && imageFormat(path) !== undefined
}

function checkLayerImage(path: string, diffId: Digest, facts: Facts): void {
  try {
    layerBlocks({ path, diffId })
  } catch (error) {
    throw withCause(notTheLayer(path, error, facts), error)
  }
}

/** Either the hook is wrong, or the file was damaged since. */
function notTheLayer(path: string, error: unknown, facts: Facts): OciUnpackError {
  const { expected, found, reason } = error instanceof OciUnpackError ? error.facts : {}
  const seen = Object.entries({ expected, found }).filter(([, fact]) => fact !== undefined)
  const why = reason === undefined ? '' : `: ${reason}`
  return new OciUnpackError('HOOK_ANSWER_INVALID', 'The answer of a hook cannot be used.', {
    facts: {
      ...facts,
      ...Object.fromEntries(seen),
      path,
      reason: `what it reports as committed is not the image of the layer${why}`
    },
    hint: 'If the file was damaged, remove it and unpack again, which makes it anew. Otherwise check what the hook prints: {hooks.trace} records every call.'
  })
}

/**
 * A staged directory or image must not overlap any other: writing to it would change the other, and abort removes it.
 * @param others directories of the layers that are already known, and others that must not be touched
 * @throws HOOK_ANSWER_INVALID
 */
export function checkApart(path: string, others: readonly string[], facts: Facts): void {
  const own = real(path)
  const clash = others.find((other) => isWithin(own, real(other)) || isWithin(real(other), own))
  if (clash !== undefined) throw invalid(path, `the target and ${clash} overlap`, facts)
}

/** The directory that a layer is written to must exist; an image must not, but it must be possible. @throws HOOK_ANSWER_INVALID */
export function checkStaged(extract: ExtractMode, path: string, facts: Facts): void {
  if (extract === 'image') checkNewImage(path, facts)
  else if (!isDirectory(path)) throw invalid(path, 'the target is not a directory', facts)
}

function checkNewImage(path: string, facts: Facts): void {
  checkMerged(path, facts)
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined)
    throw invalid(path, 'something exists where the image is to be made', facts)
}

/** The image that joins layers may exist. @throws HOOK_ANSWER_INVALID */
export function checkMerged(path: string, facts: Facts): void {
  if (!isDirectory(dirname(path)))
    throw invalid(path, 'the directory of the target does not exist', facts)
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found?.isFile() === false) throw invalid(path, 'the target is not a file', facts)
}

/** After finish there must be a root file system, not a link to one. @throws HOOK_ANSWER_INVALID */
export function checkShown(rootfs: string, facts: Facts): void {
  if (lstatSync(rootfs, { throwIfNoEntry: false })?.isSymbolicLink() === true)
    throw invalid(rootfs, 'finish made a symbolic link there, not a directory', facts)
  if (!isDirectory(rootfs))
    throw invalid(rootfs, 'finish did not make a root file system there', facts)
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}

function real(path: string): string {
  if (statSync(path, { throwIfNoEntry: false }) !== undefined) return realpathSync(path)
  const parent = dirname(path)
  return isDirectory(parent) ? join(realpathSync(parent), basename(path)) : path
}

function invalid(path: string, reason: string, facts: Facts): OciUnpackError {
  return new OciUnpackError('HOOK_ANSWER_INVALID', 'The answer of a hook cannot be used.', {
    facts: { ...facts, path, reason },
    hint: 'Check what the hook prints: {hooks.trace} records every call.'
  })
}
