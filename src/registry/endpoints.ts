/** Where the images of a repository are read and written: at its registry, or at others that stand in for it. */
import { OciUnpackError } from '../errors.ts'
import type { Reference } from './reference.ts'
import type { RegistryRule } from './registries-conf.ts'
import type { Repository } from './registry.ts'

export interface Endpoint extends Repository {
  /** Whether the administrator lets it do without TLS. */
  readonly isInsecure: boolean
  /** Whether the user named this host. Credentials that the user gave are for that host only. */
  readonly isNamed: boolean
}

/** In the order in which they are tried: mirrors, then the registry itself. @throws REGISTRY_BLOCKED */
export function endpointsToRead(reference: Reference, rules: readonly RegistryRule[]): Endpoint[] {
  const rule = ruleFor(reference, rules)
  if (rule === undefined) return [endpoint(reference, reference, false)]
  const unused = reference.digest === undefined ? 'digest-only' : 'tag-only'
  const mirrors = rule.mirrors.filter(({ use }) => use !== unused)
  return [...mirrors, rule].map(({ location, isInsecure }) =>
    endpoint(moved(reference, rule.prefix, location), reference, isInsecure)
  )
}

/** Nothing stands in for a registry that is written to. @throws REGISTRY_BLOCKED */
export function endpointToWrite(repository: Repository, rules: readonly RegistryRule[]): Endpoint {
  const isInsecure = ruleFor(repository, rules)?.isInsecure === true
  return endpoint(repository, repository, isInsecure)
}

function endpoint({ host, name }: Repository, asked: Repository, isInsecure: boolean): Endpoint {
  const isMirror = host !== asked.host || name !== asked.name
  return { host, name, isInsecure, isMirror, isNamed: host === asked.host }
}

/** The rule with the longest prefix. */
function ruleFor(repository: Repository, rules: readonly RegistryRule[]): RegistryRule | undefined {
  const fitting = rules.filter(({ prefix }) => isFor(prefix, repository))
  const [rule] = fitting.sort((one, other) => other.prefix.length - one.prefix.length)
  if (rule?.isBlocked === true) throw blocked(repository, rule.file)
  return rule
}

function isFor(prefix: string, { host, name }: Repository): boolean {
  if (prefix.startsWith('*.')) return host.replace(/:\d+$/, '').endsWith(prefix.slice(1))
  return `${host}/${name}/`.startsWith(`${prefix}/`)
}

function moved(repository: Repository, prefix: string, location: string | undefined): Repository {
  if (location === undefined) return repository
  const { host, name } = repository
  // a mirror of *.DOMAIN stands in for the host
  const rest = prefix.startsWith('*.') ? `/${name}` : `${host}/${name}`.slice(prefix.length)
  const [newHost = '', ...path] = `${location}${rest}`.split('/')
  return { host: newHost, name: path.join('/') }
}

function blocked({ host, name }: Repository, file: string): OciUnpackError {
  return new OciUnpackError(
    'REGISTRY_BLOCKED',
    'The settings of this machine block the registry.',
    {
      facts: { file, found: `${host}/${name}` }
    }
  )
}
