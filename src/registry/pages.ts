/** Lists that come page by page. */
import { followed, nextLink } from './addresses.ts'
import { fetchBytes } from './documents.ts'
import { answerInvalid } from './errors.ts'
import type { Answer, Ask } from './redirects.ts'
import type { Requests } from './requests.ts'

/** A registry that ignores the size of a page sends all at once: a hundred thousand tags of a hundred characters. */
const MAX_PAGE = 16 << 20
const MAX_PAGES = 10_000
/** Bytes of all pages. */
const MAX_LIST = 256 << 20
/** Registries that filter lists may send a few pages with nothing on them. */
const MAX_IDLE_PAGES = 10

export interface Page {
  answer: Answer
  bytes: Buffer
}

/**
 * @param itemsOf tells the items of a page apart @throws REGISTRY_ANSWER_INVALID: pages without end, or on another host;
 * REGISTRY_*, ABORTED
 */
export async function* pages(
  requests: Requests,
  first: Ask,
  itemsOf: (page: Page) => readonly string[]
): AsyncGenerator<Page> {
  const seen = new Set<string>()
  const items = new Set<string>()
  let ask = first
  let bytes = 0
  let idle = 0
  for (;;) {
    const page = await fetchBytes(requests, ask, MAX_PAGE)
    yield page
    const { headers, place, url } = page.answer
    const before = items.size
    for (const item of itemsOf(page)) items.add(item)
    idle = items.size > before ? 0 : idle + 1
    bytes += page.bytes.length
    const link = nextLink(headers.link)
    if (link === undefined) return
    const next = followed(url, link, false)
    if (next?.origin !== url.origin)
      throw answerInvalid(place, 'its next page is not on the same host')
    const isTooMuch = seen.size === MAX_PAGES || bytes > MAX_LIST || idle > MAX_IDLE_PAGES
    if (seen.has(next.href) || isTooMuch) throw answerInvalid(place, 'its pages do not end')
    seen.add(next.href)
    ask = { ...first, to: next }
  }
}
