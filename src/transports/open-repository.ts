/** Reads images, and the list of tags, in a repository of a registry. */
import { display, fromText } from '../bytes.ts'
import { OciUnpackError, withHint } from '../errors.ts'
import type { RepositoryAccess } from '../registry/registry-images.ts'
import type { ImageSource } from '../store/image-source.ts'
import { accessTo, openImages, referenceOf, type RepositoryName } from './repository-access.ts'
import type { OpenOptions } from './transport.ts'

/** @throws REGISTRY_*, MANIFEST_NOT_FOUND, REPOSITORY_NOT_FOUND */
export async function openRepository(
  name: RepositoryName,
  options: OpenOptions
): Promise<ImageSource> {
  const access = await accessTo(name, 'read', options)
  try {
    return await openImages(access, referenceOf(name), options)
  } catch (error) {
    const better = await withTags(error, name, access)
    access.close()
    throw better
  }
}

/** So many tags are shown. */
const SOME_TAGS = 10

/** Of signatures and other referrers, which nobody looks for by hand: `sha256-HEX`, with `.sig` and the like for cosign. */
const DIGEST_TAG = /^sha(?:256|512)-[\da-f]{64}/

/** Where a name leads nowhere, the hint says how to see the tags; for one without a tag, which there are. */
async function withTags(
  error: unknown,
  { path, tag }: RepositoryName,
  { client }: RepositoryAccess
): Promise<unknown> {
  if (!(error instanceof OciUnpackError) || error.code !== 'MANIFEST_NOT_FOUND') return error
  if (tag !== undefined) return withHint(error, `To see the tags: oci-unpack list docker:${path}`)
  const tags: string[] = []
  try {
    for await (const page of client.tags())
      if (tags.push(...page.filter((it) => !DIGEST_TAG.test(it))) > SOME_TAGS) break
  } catch {
    return error
  }
  if (tags.length === 0) return error
  const some = tags.slice(0, SOME_TAGS).map((it) => display(fromText(it)))
  const { code, message, facts, cause } = error
  const hint = `Give one of the tags: docker:${path}:TAG. There ${some.length < tags.length ? 'are many, for example' : 'are'} ${some.join(', ')}.`
  return new OciUnpackError(code, message, { facts, hint, cause })
}

/** @throws REGISTRY_*, REPOSITORY_NOT_FOUND */
export async function tagsOfRepository(
  name: RepositoryName,
  options: OpenOptions
): Promise<string[]> {
  const { client, close } = await accessTo(name, 'read', options)
  try {
    const tags: string[] = []
    for await (const page of client.tags()) tags.push(...page)
    return tags
  } finally {
    close()
  }
}
