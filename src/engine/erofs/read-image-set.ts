/** Reads `erofs.json`, and trusts nothing that it says. */
import { resolve } from 'node:path'
import { fromText } from '../../bytes.ts'
import { OciUnpackError, withFacts, withPath, type Facts } from '../../errors.ts'
import { chainIds } from '../../image/digest.ts'
import { parseJson, type Json } from '../../image/json.ts'
import { assertValid } from '../../image/validate.ts'
import { isErrno } from '../../sys/failure.ts'
import { close, openFile, openOperatorDirectory } from '../../sys/files.ts'
import { readRest } from '../../sys/read.ts'
import { status } from '../../sys/status.ts'
import { IMAGE_SET_FILE, IMAGE_SET_VERSION, type ImageSet } from './image-set.ts'
import { validateImageSet } from './schema.generated.ts'

/** In bytes. As many layers as EROFS can count fill less. */
const MAX_SIZE = 32 * 2 ** 20

/** A directory of images, and what is to be in it. */
export interface OpenedImageSet {
  path: string
  /** A descriptor, which the caller closes. */
  directory: number
  set: ImageSet
}

/** @param path absolute @throws EROFS_INVALID, SYSCALL_FAILED */
export function openImageSet(path: string): OpenedImageSet {
  const directory = openSetDirectory(path)
  try {
    return { path, directory, set: readImageSet(directory) }
  } catch (error) {
    close(directory)
    throw withFacts(withWholePath(error, path), { path })
  }
}

/** Files are opened in the directory, so a failed call knows no more than their names. */
export function withWholePath(error: unknown, directory: string): unknown {
  const path = error instanceof OciUnpackError ? error.facts.path : undefined
  return typeof path === 'string' ? withPath(error, resolve(directory, path)) : error
}

function openSetDirectory(path: string): number {
  try {
    return openOperatorDirectory(fromText(path))
  } catch (error) {
    if (!isErrno(error, 'ENOTDIR')) throw error
    throw notMadeHere({ path, reason: 'it is not a directory' }, error)
  }
}

function readImageSet(directory: number): ImageSet {
  const fd = openSetFile(directory)
  try {
    const { type, size } = status(fd, '')
    if (type !== 'file') throw setInvalid({ found: type, reason: 'it is not a regular file' })
    if (size > MAX_SIZE) throw setInvalid({ found: size, reason: 'it is too large' })
    return parseImageSet(readRest(fd))
  } finally {
    close(fd)
  }
}

function openSetFile(directory: number): number {
  try {
    return openFile(directory, IMAGE_SET_FILE)
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error
    throw notMadeHere({ reason: `it has no ${IMAGE_SET_FILE}` }, error)
  }
}

function notMadeHere(facts: Facts, cause: unknown): OciUnpackError {
  return new OciUnpackError('EROFS_INVALID', 'This is not a directory of EROFS images.', {
    facts,
    hint: 'Name a directory that `oci-unpack erofs make` has made.',
    cause
  })
}

/** @throws EROFS_INVALID */
export function parseImageSet(bytes: Uint8Array): ImageSet {
  const value = parsed(bytes)
  const set = value as unknown as ImageSet
  const { image, devices } = set
  if (chainIds(devices.map(({ diffId }) => diffId)).at(-1) !== image.chainId)
    throw setInvalid({ reason: 'the devices are not the layers of the image, in their order' })
  checkNames(set)
  return set
}

/** Only layers with the same content may share a file, and only images have hash trees. */
function checkNames({ merged, linear, disk, devices, verity = [] }: ImageSet): void {
  const contents = new Map([[IMAGE_SET_FILE, 'set']])
  const add = (name: string | undefined, content: string): void => {
    if (name === undefined) return
    if ((contents.get(name) ?? content) !== content)
      throw setInvalid({ found: name, reason: 'one file has several contents' })
    contents.set(name, content)
  }
  add(merged.name, 'merged')
  add(linear?.name, 'linear')
  add(disk?.name, 'disk')
  for (const { name, digest, size, diffId } of devices) add(name, `${digest} ${size} ${diffId}`)
  const images = new Set([merged, ...devices].map(({ name }) => name))
  for (const { name, file } of verity) {
    if (!images.delete(file))
      throw setInvalid({ found: file, reason: 'a hash tree is of no image, or not the only one' })
    add(name, `tree of ${file}`)
  }
  const [without] = images
  if (verity.length > 0 && without !== undefined)
    throw setInvalid({ found: without, reason: 'it has no hash tree, and others have' })
}

function parsed(bytes: Uint8Array): Json {
  try {
    const value = parseJson(bytes)
    refuseNewer(value)
    assertValid(validateImageSet, value, IMAGE_SET_FILE)
    return value
  } catch (error) {
    if (error instanceof SyntaxError) throw setInvalid({ reason: `it ${error.message}` })
    if (!(error instanceof OciUnpackError) || error.code !== 'DOCUMENT_INVALID') throw error
    const { pointer, ...facts } = error.facts
    throw setInvalid(pointer === '' || pointer === undefined ? facts : { pointer, ...facts })
  }
}

function refuseNewer(value: Json): void {
  const version = (value as { formatVersion?: unknown } | null)?.formatVersion
  if (typeof version !== 'number' || version <= IMAGE_SET_VERSION) return
  throw new OciUnpackError('EROFS_INVALID', 'The EROFS images were made by a newer version.', {
    facts: { file: IMAGE_SET_FILE, expected: `format ${IMAGE_SET_VERSION}`, found: version },
    hint: 'Use a newer oci-unpack, or make the images again with this one.'
  })
}

function setInvalid(facts: Facts): OciUnpackError {
  return new OciUnpackError('EROFS_INVALID', 'The description of the EROFS images is not valid.', {
    facts: { file: IMAGE_SET_FILE, ...facts },
    hint: 'Make the images again with `oci-unpack erofs make`.'
  })
}
