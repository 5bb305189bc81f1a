/** The addresses that servers name, and how they may be followed. */

/**
 * Where a header of an answer leads, relative to what was asked.
 * A proxy that ends TLS often makes a registry believe that it is reached by plain HTTP: what it says of itself is corrected.
 * @returns undefined: it leads nowhere, or away from HTTPS
 */
export function followed(
  from: URL,
  location: string | undefined,
  mayLeaveHttps: boolean
): URL | undefined {
  if (location === undefined || !URL.canParse(location, from.href)) return undefined
  const to = new URL(location, from)
  to.username = ''
  to.password = ''
  to.hash = ''
  if (to.protocol === 'https:') return to
  if (to.protocol !== 'http:') return undefined
  if (from.protocol === 'http:') return to
  if (to.hostname === from.hostname && (to.port === '' || to.port === from.port))
    return onHttps(to, from)
  return mayLeaveHttps ? to : undefined
}

function onHttps(to: URL, from: URL): URL {
  const changed = new URL(to)
  changed.protocol = 'https:'
  changed.port = from.port
  return changed
}

/** Servers may name addresses of any length. */
const LONGEST_SHOWN = 300

/** For people. Queries and the paths of other hosts may be keys to something. */
export function shownAddress(url: URL, origin: string): string {
  return shortened(url.origin === origin ? url.pathname : `${url.origin}/…`)
}

export function shownHost({ host }: URL): string {
  return shortened(host)
}

function shortened(text: string): string {
  return text.length <= LONGEST_SHOWN ? text : `${text.slice(0, LONGEST_SHOWN)}…`
}

/** The address of `rel="next"` in a Link header (RFC 8288), as it is written there. */
export function nextLink(header: string | undefined): string | undefined {
  for (const [, target, parameters] of (header ?? '').matchAll(/<([^>]*)>([^<]*)/g))
    if (/;\s*rel\s*=\s*(?:"[^"]*\bnext\b[^"]*"|next\b)/i.test(parameters!)) return target
  return undefined
}
