/**
 * The name of an image on a registry: `[HOST[:PORT]/]NAME[:TAG][@DIGEST]`, by the grammar of
 * github.com/distribution/reference, which docker, podman, skopeo and containerd share.
 */
import { OciUnpackError } from '../errors.ts'
import { parseDigest, type Digest } from '../image/digest.ts'
import { splitHost } from '../image/docker-name.ts'
import type { Repository } from './registry.ts'

/** With both a tag and a digest, the digest says which image is meant. */
export interface Reference extends Repository {
  readonly tag?: string
  readonly digest?: Digest
}

/** @throws REFERENCE_INVALID */
export function parseReference(text: string): Reference {
  const { name: full, tag, digest } = splitEnd(text)
  if (full === '') throw invalid(text, 'the name is empty')
  if (digest?.includes('/') === true) throw withCredentials(text)
  if (full.includes('://')) throw invalid(text, 'a name has no scheme')
  if (/^[0-9a-f]{64}$/.test(full)) throw invalid(text, 'a name cannot look like the id of an image')
  const { host, rest: name } = splitHost(full)
  const fault = faultOfHost(host) ?? faultOfName(name) ?? faultOfTag(tag)
  if (fault !== undefined) throw invalid(text, fault)
  return {
    host,
    name,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest: checkedDigest(text, digest) })
  }
}

/** The reverse of `parseReference`; nothing is left out. */
export function formatReference({ host, name, tag, digest }: Reference): string {
  const ofTag = tag === undefined ? '' : `:${tag}`
  return `${host}/${name}${ofTag}${digest === undefined ? '' : `@${digest}`}`
}

interface Parts {
  name: string
  tag: string | undefined
  digest: string | undefined
}

/** A colon after the last slash starts a tag; one before it belongs to a host. */
function splitEnd(text: string): Parts {
  const at = text.indexOf('@')
  const before = at < 0 ? text : text.slice(0, at)
  const digest = at < 0 ? undefined : text.slice(at + 1)
  const colon = before.lastIndexOf(':')
  if (colon <= before.lastIndexOf('/')) return { name: before, tag: undefined, digest }
  return { name: before.slice(0, colon), tag: before.slice(colon + 1), digest }
}

const HOST_PART = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])'
const HOST = new RegExp(`^(?:${HOST_PART}(?:\\.${HOST_PART})*|\\[[a-fA-F0-9:]+\\])(?::([0-9]+))?$`)
const LAST_PORT = 65_535

function faultOfHost(host: string): string | undefined {
  const [, port] = HOST.exec(host) ?? []
  if (!HOST.test(host)) return 'the host is not HOST or HOST:PORT; an IPv6 address is in brackets'
  if (port !== undefined && (Number(port) === 0 || Number(port) > LAST_PORT))
    return `the port is not between 1 and ${LAST_PORT}`
  return undefined
}

const PART = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*'
const NAME = new RegExp(`^${PART}(?:/${PART})*$`)
/** Characters, as in docker and in containers/image. */
const LONGEST_NAME = 255

function faultOfName(name: string): string | undefined {
  if (/[A-Z]/.test(name)) return 'the name has upper-case letters'
  if (name.split('/').includes('')) return 'a part of the name is empty'
  if (!NAME.test(name))
    return 'parts of a name are lower-case letters and digits, joined by single . or _, by __ or by dashes'
  return name.length > LONGEST_NAME
    ? `the name is longer than ${LONGEST_NAME} characters`
    : undefined
}

/** What is wrong with a tag (distribution-spec, Pulling manifests). */
export function faultOfTag(tag: string | undefined): string | undefined {
  if (tag === undefined || /^\w[\w.-]{0,127}$/.test(tag)) return undefined
  if (tag === '') return 'the tag is empty'
  return 'a tag is up to 128 letters, digits, _ . and -, and begins with neither . nor -'
}

function checkedDigest(text: string, digest: string): Digest {
  try {
    return parseDigest(digest)
  } catch (error) {
    throw error instanceof OciUnpackError ? invalid(text, String(error.facts.reason)) : error
  }
}

/** What comes before the last @ may be a password. */
function withCredentials(text: string): OciUnpackError {
  const found = `…${text.slice(text.lastIndexOf('@'))}`
  return invalid(found, 'a name has neither a user nor a password')
}

function invalid(found: string, reason: string): OciUnpackError {
  return new OciUnpackError('REFERENCE_INVALID', 'The name of the image is not valid.', {
    facts: { found, reason },
    hint: 'Valid names are, for example, debian:12, ghcr.io/owner/app:1.0 and localhost:5000/app@sha256:….'
  })
}
