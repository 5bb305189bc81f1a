/** Certificates for tests, made in memory (RFC 5280), so that no program is needed. */
import { createHash, createSign, generateKeyPairSync, type KeyObject } from 'node:crypto'

export interface Certificate {
  /** PEM. */
  cert: string
  key: string
  privateKey: KeyObject
  publicKey: KeyObject
}

/** A certificate that is its own authority, valid for names and IPv4 addresses. */
export function selfSigned(hosts: readonly string[]): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const name = sequence(set(sequence(oid('550403'), der(0x0c, Buffer.from('oci-unpack test')))))
  const body = sequence(
    der(0xa0, integer(2)),
    integer(1),
    SHA256_WITH_RSA,
    name,
    sequence(time(-3_600_000), time(86_400_000)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(alternativeNames(hosts), basicConstraints()))
  )
  const signature = createSign('sha256').update(body).sign(privateKey)
  const whole = sequence(body, SHA256_WITH_RSA, bits(signature))
  return {
    cert: pem('CERTIFICATE', whole),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    privateKey,
    publicKey
  }
}

/** The name that docker-registry has for a key: the beginning of its digest in base32. */
export function keyId(publicKey: KeyObject): string {
  const digest = createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest()
  return base32(digest.subarray(0, 30)).match(/.{4}/g)!.join(':')
}

function base32(bytes: Buffer): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
  const digits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  return digits
    .match(/.{5}/g)!
    .map((five) => alphabet[Number.parseInt(five, 2)]!)
    .join('')
}

const SHA256_WITH_RSA = sequence(oid('2a864886f70d01010b'), der(0x05, Buffer.alloc(0)))

function alternativeNames(hosts: readonly string[]): Buffer {
  const names = hosts.map((host) =>
    /^[\d.]+$/.test(host)
      ? der(0x87, Buffer.from(host.split('.').map(Number)))
      : der(0x82, Buffer.from(host))
  )
  return sequence(oid('551d11'), der(0x04, sequence(...names)))
}

/** It may sign certificates, its own among them. */
function basicConstraints(): Buffer {
  return sequence(
    oid('551d13'),
    der(0x01, Buffer.from([0xff])),
    der(0x04, sequence(der(0x01, Buffer.from([0xff]))))
  )
}

function der(tag: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([tag, ...length(content.length)]), content])
}

function length(size: number): number[] {
  if (size < 0x80) return [size]
  return size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff]
}

function sequence(...parts: Buffer[]): Buffer {
  return der(0x30, Buffer.concat(parts))
}

function set(content: Buffer): Buffer {
  return der(0x31, content)
}

function oid(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, 'hex'))
}

function integer(value: number): Buffer {
  return der(0x02, Buffer.from([value]))
}

function bits(content: Buffer): Buffer {
  return der(0x03, Buffer.concat([Buffer.from([0]), content]))
}

function time(fromNow: number): Buffer {
  const text = new Date(Date.now() + fromNow).toISOString().replace(/\.\d+|[-:T]/g, '')
  return der(0x18, Buffer.from(text))
}

function pem(label: string, content: Buffer): string {
  const lines = content
    .toString('base64')
    .match(/.{1,64}/g)!
    .join('\n')
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`
}
