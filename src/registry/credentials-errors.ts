/** What can go wrong with stored credentials, in words that contain nothing of what is stored. */
import { display, fromText } from '../bytes.ts'
import { OciUnpackError, type Facts } from '../errors.ts'
import type { AuthOrigin } from './auth-places.ts'

/** @param pointer to the entry, if it is not the whole */
export function credentialsUnusable(
  origin: AuthOrigin,
  reason: string,
  pointer?: string
): OciUnpackError {
  const isFile = 'file' in origin
  const [what, hint] = isFile
    ? [
        'A file',
        'Log in again with podman, skopeo or docker, or name another file with {registry.authfile}.'
      ]
    : ['A variable', 'Correct or unset it: it has the form of the config.json of docker.']
  return new OciUnpackError('CREDENTIALS_INVALID', `${what} with credentials cannot be used.`, {
    facts: { ...origin, ...(pointer === undefined ? {} : { pointer }), reason },
    hint
  })
}

/** A program, as a file or a variable names it. */
export interface NamedProgram {
  readonly origin: AuthOrigin
  /** What follows `docker-credential-`. */
  readonly name: string
  readonly server: string
}

export function programOf(name: string): string {
  return `docker-credential-${name}`
}

/** The output of the program is left out, because it may contain the secret. */
export function helperFailed(
  { origin, name, server }: NamedProgram,
  reason: string
): OciUnpackError {
  const program = programOf(name)
  const hint = `To see what it says, run: echo ${server} | ${program} get`
  return withoutCredentials({ ...origin, call: `${program} get`, reason }, hint)
}

/** Also where `docker-credential-` is repeated. */
export function helperMissing({ origin, name }: NamedProgram): OciUnpackError {
  const program = programOf(name)
  const meant = plainName(name)
  const hint =
    meant === name
      ? `Install ${program}, or add its directory to PATH.`
      : `Write ${meant} for the program ${programOf(meant)}.`
  const facts = { ...origin, call: `${program} get`, reason: 'it is not in PATH' }
  return withoutCredentials(facts, hint)
}

/** A path, or an argument: programs are only looked for in PATH, and by their own names. */
export function helperNameInvalid({ origin, name }: NamedProgram): OciUnpackError {
  const meant = plainName(name)
  const example = isHelperName(meant) ? meant : 'NAME'
  const hint = `Write ${example} for the program ${programOf(example)}, whose directory must be in PATH.`
  const reason = 'the name of the program is not one in PATH'
  return withoutCredentials({ ...origin, found: display(fromText(name)), reason }, hint)
}

export function isHelperName(name: string): boolean {
  return /^[\w.-]+$/.test(name)
}

/** `/usr/bin/docker-credential-pass` means `pass`. */
function plainName(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1).replace(/^docker-credential-(?=.)/, '')
}

function withoutCredentials(facts: Facts, hint: string): OciUnpackError {
  const message = 'A program did not return credentials.'
  return new OciUnpackError('CREDENTIAL_HELPER_FAILED', message, { facts, hint })
}
