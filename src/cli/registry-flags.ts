/** Flags of the commands that can read from registries or write to them. Declarations only: they are read at every start. */
import type { Flag, Variable } from './command.ts'

/** Which of the registries of a command a flag is for, and the beginning of its name, as in skopeo. */
export interface RegistrySide {
  prefix: '' | 'src-' | 'dest-'
  /** The option of the library. */
  option: 'registry' | 'sourceRegistry' | 'destinationRegistry'
  /** In summaries. */
  of: string
  /** Where credentials are taken from if no flag gives them. */
  variable: string
}

export const THE_REGISTRY: RegistrySide = {
  prefix: '',
  option: 'registry',
  of: 'the registry',
  variable: 'OCI_UNPACK_CREDS'
}

export const SOURCE_SIDE: RegistrySide = {
  prefix: 'src-',
  option: 'sourceRegistry',
  of: "the source's registry",
  variable: 'OCI_UNPACK_SRC_CREDS'
}

export const DESTINATION_SIDE: RegistrySide = {
  prefix: 'dest-',
  option: 'destinationRegistry',
  of: "the destination's registry",
  variable: 'OCI_UNPACK_DEST_CREDS'
}

export const REGISTRY_FLAGS: readonly Flag[] = flagsOf(THE_REGISTRY)

/** For a command with two registries: nothing that is meant for one host goes to the other. */
export const TWO_REGISTRIES_FLAGS: readonly Flag[] = [
  {
    ...authfileFlag(THE_REGISTRY),
    summary: 'file of credentials for both registries (default: those of podman and docker)'
  },
  ...flagsOf(SOURCE_SIDE),
  ...flagsOf(DESTINATION_SIDE)
]

const AUTH_FILE_VARIABLES: readonly Variable[] = [
  { name: 'REGISTRY_AUTH_FILE', summary: 'file of credentials if no flag names one' },
  {
    name: 'DOCKER_CONFIG',
    summary: "directory of docker's config.json, which is looked at last (default: ~/.docker)"
  },
  {
    name: 'DOCKER_AUTH_CONFIG',
    summary: 'credentials in the form of that config.json, which come before it, as in GitLab CI'
  }
]

export const REGISTRY_VARIABLES: readonly Variable[] = [
  variableOf(THE_REGISTRY),
  ...AUTH_FILE_VARIABLES
]

export const TWO_REGISTRIES_VARIABLES: readonly Variable[] = [
  variableOf(SOURCE_SIDE),
  variableOf(DESTINATION_SIDE),
  ...AUTH_FILE_VARIABLES
]

function flagsOf(side: RegistrySide): readonly Flag[] {
  const { prefix, option, of, variable } = side
  return [
    authfileFlag(side),
    {
      name: `${prefix}creds`,
      option: `${option}.credentials`,
      value: 'USER[:PASSWORD]',
      summary: `credentials for ${of}, which other users can see in the list of processes: better use ${variable}`
    },
    {
      name: `${prefix}creds-fd`,
      value: 'N',
      summary: `file descriptor whose first line is USER[:PASSWORD] for ${of}`
    },
    {
      name: `${prefix}cert-dir`,
      option: `${option}.certDir`,
      value: 'DIR',
      summary: `directory with *.crt, *.cert and *.key for ${of} (default: containers-certs.d(5))`,
      kind: 'directory'
    },
    {
      name: `${prefix}tls-verify`,
      option: `${option}.tlsVerify`,
      value: 'BOOL',
      bare: 'true',
      choices: ['true', 'false'],
      summary: `check the certificate of ${of}; false also allows plain HTTP, which only loopback addresses may use otherwise (default: true)`
    }
  ]
}

function authfileFlag({ prefix, option, of }: RegistrySide): Flag {
  return {
    name: `${prefix}authfile`,
    option: `${option}.authfile`,
    value: 'FILE',
    summary: `file of credentials for ${of} (default: those of podman and docker)`,
    kind: 'file'
  }
}

function variableOf({ variable, of }: RegistrySide): Variable {
  return { name: variable, summary: `USER[:PASSWORD] for ${of}` }
}
