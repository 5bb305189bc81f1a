/** Why --userns cannot work here, and what to do about it. */
import { OciUnpackError } from '../errors.ts'
import { content, firstFree, RANGES_FILE, type Account, type IdKind } from './userns-ranges.ts'
import type { Outcome } from './userns-programs.ts'

const PACKAGES: Readonly<Record<string, string>> = {
  unshare: 'the package util-linux',
  newuidmap:
    'the package uidmap (Debian, Ubuntu), shadow-utils (Fedora, RHEL), shadow-uidmap (Alpine) or shadow (Arch, openSUSE)'
}

export function programMissing(program: string): OciUnpackError {
  const home = PACKAGES[program] ?? PACKAGES.newuidmap!
  return unavailable(`The program ${program} is required for --userns.`, {
    facts: { reason: 'it is not in a directory of PATH' },
    hint: `Install ${home}.`
  })
}

export function noRange(kind: IdKind, { id, name }: Account): OciUnpackError {
  const file = RANGES_FILE[kind]
  const who = name ?? String(id)
  const start = firstFree(content(file))
  const line = `${who}:${start}:65536`
  const flag = kind === 'uid' ? '--add-subuids' : '--add-subgids'
  return unavailable(`User ${who} has no subordinate ${kind}s.`, {
    facts: { file, expected: line },
    hint:
      `Root can add this line to ${file}` +
      (name === undefined ? '.' : `, or run \`usermod ${flag} ${start}-${start + 65535} ${who}\`.`)
  })
}

/** @param stderr what unshare said */
export function namespaceRefused(stderr: string): OciUnpackError {
  return unavailable('The kernel does not let this user make a user namespace.', {
    facts: { stderr },
    hint: refusal()
  })
}

const SETTINGS = [
  { name: 'user.max_user_namespaces', path: 'user/max_user_namespaces', bad: '0', good: '10000' },
  {
    name: 'kernel.unprivileged_userns_clone',
    path: 'kernel/unprivileged_userns_clone',
    bad: '0',
    good: '1'
  },
  {
    name: 'kernel.apparmor_restrict_unprivileged_userns',
    path: 'kernel/apparmor_restrict_unprivileged_userns',
    bad: '1',
    good: '0'
  }
]

/** Which setting of the kernel forbids it, if one does. */
function refusal(): string {
  const found = SETTINGS.find(({ path, bad }) => content(`/proc/sys/${path}`).trim() === bad)
  if (found !== undefined)
    return `${found.name} is ${found.bad}. Root can allow it with \`sysctl ${found.name}=${found.good}\`.`
  return 'In a container, its runtime forbids it: allow user namespaces there, or work without them with --rootless.'
}

/** The kernel makes the namespace, and AppArmor then takes all privileges away from what runs in it. */
export function confined(profile: string): OciUnpackError {
  const name = 'kernel.apparmor_restrict_unprivileged_userns'
  return unavailable('AppArmor takes all privileges from user namespaces of this user.', {
    facts: { reason: `the process in it has the profile ${profile.trim()}` },
    hint: `Root can allow them with \`sysctl ${name}=0\`, or with an AppArmor profile for unshare that contains the rule \`userns,\`.`
  })
}

export function mapRefused(
  program: string,
  args: readonly string[],
  { status, stderr }: Outcome
): OciUnpackError {
  return unavailable(`${program} could not give the namespace its ids.`, {
    facts: {
      call: [program, ...args].join(' '),
      status: status ?? 'none',
      stderr: stderr.trim()
    },
    hint: mapHint(program, stderr)
  })
}

function mapHint(program: string, stderr: string): string {
  const id = program === 'newuidmap' ? 'uid' : 'gid'
  if (/Cannot determine your user name/i.test(stderr))
    return 'The user needs an account in the passwd database.'
  if (/not allowed/.test(stderr)) return `Check the lines of this user in ${RANGES_FILE[id]}.`
  return (
    `${program} must be set-user-ID root or have the file capability cap_set${id}, on a file system that is not` +
    ' mounted with nosuid. Containers often forbid both.'
  )
}

function unavailable(
  message: string,
  details: ConstructorParameters<typeof OciUnpackError>[2]
): OciUnpackError {
  return new OciUnpackError('USERNS_UNAVAILABLE', message, details)
}
