/** The names of unfinished files and directories: hidden, and different for any two processes. */
import { randomBytes } from 'node:crypto'
import { fromText, type ByteString } from '../bytes.ts'

/** Names on disk have at most 255 bytes. */
const BASE_BYTES = 200

const PATTERN = /^\.(?:[^/]+\.)?oci-unpack-[0-9a-f]{12}$/s

/** @param becomes the final name, or `''` if there is none */
export function privateName(becomes: string): ByteString {
  const base = fromText(becomes).slice(0, BASE_BYTES)
  return `.${base === '' ? '' : `${base}.`}oci-unpack-${randomBytes(6).toString('hex')}`
}

/** Whether what has this private name was never to get another one. */
export function isLasting(name: ByteString): boolean {
  return LASTING.test(name)
}

const LASTING = /^\.oci-unpack-[0-9a-f]{12}$/

/** Whether a name is that of unfinished work that was to become `becomes`. */
export function isPrivateNameFor(becomes: string, name: ByteString): boolean {
  const base = fromText(becomes).slice(0, BASE_BYTES)
  return isPrivateName(name) && name.startsWith(`.${base}.oci-unpack-`)
}

export function isPrivateName(name: ByteString): boolean {
  return PATTERN.test(name)
}
