/** Which proxy the environment names for an address, by the rules of Go, which skopeo and podman follow. */
import { BlockList, isIP } from 'node:net'
import { OciUnpackError } from '../errors.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** @throws REGISTRY_UNREACHABLE: the proxy cannot be used */
export function proxyFor(url: URL, environment: Environment): URL | undefined {
  const name = url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY'
  const value = (environment[name] ?? environment[name.toLowerCase()] ?? '').trim()
  if (value === '' || isLoopback(url.hostname)) return undefined
  if (isExcluded(url, environment.NO_PROXY ?? environment.no_proxy ?? '')) return undefined
  return parseProxy(name, value)
}

/** Whether a host of a URL is this machine. */
export function isLoopback(hostname: string): boolean {
  return /^(?:localhost|.*\.localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname)
}

/** Whether a list of hosts, domains, addresses and networks contains the host. */
function isExcluded(url: URL, noProxy: string): boolean {
  const entries = noProxy.toLowerCase().split(/[\s,]+/)
  return entries.some((entry) => entry !== '' && matches(url, entry))
}

function matches(url: URL, entry: string): boolean {
  if (entry === '*') return true
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (entry.includes('/')) return isInNetwork(host, entry)
  const [, name, port] = /^(\[.*\]|[^:]*|.*:.*:.*?)(?::(\d+))?$/.exec(entry) ?? []
  if (name === undefined || (port !== undefined && port !== portOf(url))) return false
  const domain = name.replace(/^\[|\]$/g, '').replace(/^\*\./, '.')
  if (isIP(host) !== 0) return domain === host
  return domain.startsWith('.')
    ? host.endsWith(domain)
    : host === domain || host.endsWith(`.${domain}`)
}

function isInNetwork(host: string, entry: string): boolean {
  const [network = '', prefix = ''] = entry.split('/')
  const family = isIP(host)
  if (family === 0 || family !== isIP(network) || !/^\d{1,3}$/.test(prefix)) return false
  if (Number(prefix) > (family === 4 ? 32 : 128)) return false
  const type = family === 4 ? 'ipv4' : 'ipv6'
  const list = new BlockList()
  list.addSubnet(network, Number(prefix), type)
  return list.check(host, type)
}

function portOf(url: URL): string {
  return url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port
}

function parseProxy(name: string, value: string): URL {
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url
  const reason = url === undefined ? 'it is not an address' : `it begins with ${url.protocol}//`
  throw new OciUnpackError('REGISTRY_UNREACHABLE', `The proxy in ${name} cannot be used.`, {
    facts: { reason },
    hint: 'Only proxies for HTTP can be used: http://HOST:PORT or https://HOST:PORT.'
  })
}
