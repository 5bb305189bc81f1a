/** The runtime configuration as types, and its defaults. */
import { defaultMounts, type Mount } from './mounts.ts'

/**
 * The part of a runtime-spec configuration (config.md, config-linux.md) that images fill in, in the order of Go's
 * structs.
 */
export interface RuntimeSpec {
  ociVersion: string
  process: {
    terminal: boolean
    user: ProcessUser
    args: string[]
    env: string[]
    cwd: string
    capabilities: Record<CapabilitySet, string[]>
    rlimits: { type: string; hard: number; soft: number }[]
    noNewPrivileges: boolean
  }
  root: { path: string }
  hostname: string
  mounts: Mount[]
  annotations: Record<string, string>
  linux: {
    uidMappings?: SpecIdMapping[]
    gidMappings?: SpecIdMapping[]
    resources?: { devices: { allow: boolean; access: string }[] }
    namespaces: { type: NamespaceType }[]
    maskedPaths: string[]
    readonlyPaths: string[]
  }
}

export interface ProcessUser {
  uid: number
  gid: number
  additionalGids?: number[]
}

/** An id mapping in the spelling of runtime-spec and umoci.json. */
export interface SpecIdMapping {
  containerID: number
  hostID: number
  size: number
}

export type NamespaceType = 'cgroup' | 'pid' | 'network' | 'ipc' | 'uts' | 'mount' | 'user'
type CapabilitySet = 'bounding' | 'effective' | 'inheritable' | 'permitted' | 'ambient'

/**
 * The version that the document needs, not the newest: it contains nothing that is newer than 1.0. runc 1.1 calls
 * itself 1.0.2 and does not check; crun before 1.14.3 refuses 1.2 and later (github.com/containers/crun/pull/1417).
 */
const OCI_VERSION = '1.0.2'

const CAPABILITIES = ['CAP_AUDIT_WRITE', 'CAP_KILL', 'CAP_NET_BIND_SERVICE']
const NAMESPACES: readonly NamespaceType[] = ['cgroup', 'pid', 'network', 'ipc', 'uts', 'mount']

/** umoci's defaults, before the image changes them. A new object every time. */
export function defaultRuntimeSpec(): RuntimeSpec {
  return {
    ociVersion: OCI_VERSION,
    process: defaultProcess(),
    root: { path: 'rootfs' },
    hostname: 'umoci-default',
    mounts: defaultMounts(),
    annotations: {},
    linux: defaultLinux()
  }
}

function defaultProcess(): RuntimeSpec['process'] {
  return {
    terminal: true,
    user: { uid: 0, gid: 0 },
    args: ['sh'],
    env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'TERM=xterm'],
    cwd: '/',
    capabilities: {
      bounding: [...CAPABILITIES],
      effective: [...CAPABILITIES],
      inheritable: [...CAPABILITIES],
      permitted: [...CAPABILITIES],
      ambient: [...CAPABILITIES]
    },
    rlimits: [{ type: 'RLIMIT_NOFILE', hard: 1024, soft: 1024 }],
    noNewPrivileges: true
  }
}

function defaultLinux(): RuntimeSpec['linux'] {
  return {
    resources: { devices: [{ allow: false, access: 'rwm' }] },
    namespaces: NAMESPACES.map((type) => ({ type })),
    maskedPaths: [
      '/proc/kcore',
      '/proc/latency_stats',
      '/proc/timer_list',
      '/proc/timer_stats',
      '/proc/sched_debug',
      '/sys/firmware',
      '/proc/scsi'
    ],
    readonlyPaths: [
      '/proc/asound',
      '/proc/bus',
      '/proc/fs',
      '/proc/irq',
      '/proc/sys',
      '/proc/sysrq-trigger'
    ]
  }
}
