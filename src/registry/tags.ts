/** The tags of a repository. */
import { parseObject } from './documents.ts'
import { answerInvalid } from './errors.ts'
import { pages, type Page } from './pages.ts'
import type { Ask } from './redirects.ts'
import type { Requests } from './requests.ts'

const ASK: Ask = {
  method: 'GET',
  to: 'tags/list?n=1000',
  access: 'pull',
  headers: { accept: 'application/json', 'accept-encoding': 'identity' },
  accept: [200],
  missing: 'REPOSITORY_NOT_FOUND'
}

/** @throws REPOSITORY_NOT_FOUND, REGISTRY_*, ABORTED */
export async function* listTags(requests: Requests): AsyncGenerator<string[]> {
  for await (const page of pages(requests, ASK, tagsOf)) yield tagsOf(page)
}

/** A repository without tags has `null` in their place. */
function tagsOf({ answer, bytes }: Page): string[] {
  const tags = parseObject(bytes)?.tags
  if (tags === null) return []
  if (Array.isArray(tags) && tags.every((tag) => typeof tag === 'string')) return tags
  throw answerInvalid(answer.place, 'it is not a list of tags')
}
