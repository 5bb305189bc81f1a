/** The mounts of config.json, with and without privileges. */
import { volumePaths } from './volumes.ts'

/** An entry of runtime-spec's `mounts` (config.md). */
export interface Mount {
  destination: string
  type: string
  source: string
  options?: string[]
}

const VOLUME_OPTIONS = ['rw', 'nosuid', 'nodev', 'noexec', 'relatime']

/**
 * The file systems that every Linux container has (runtime-spec config-linux.md, "Default Filesystems"), and cgroups.
 */
export function defaultMounts(): Mount[] {
  return [
    mount('/proc', 'proc', 'proc'),
    mount('/dev', 'tmpfs', 'tmpfs', 'nosuid,strictatime,mode=755,size=65536k'),
    mount(
      '/dev/pts',
      'devpts',
      'devpts',
      'nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5'
    ),
    mount('/dev/shm', 'tmpfs', 'shm', 'nosuid,noexec,nodev,mode=1777,size=65536k'),
    mount('/dev/mqueue', 'mqueue', 'mqueue', 'nosuid,noexec,nodev'),
    mount('/sys', 'sysfs', 'sysfs', 'nosuid,noexec,nodev,ro'),
    mount('/sys/fs/cgroup', 'cgroup', 'cgroup', 'nosuid,noexec,nodev,relatime,ro')
  ]
}

/** Image-spec conversion.md: each of `Config.Volumes` is a separate mount; here an empty tmpfs. */
export function volumeMounts(volumes: Readonly<Record<string, unknown>>): Mount[] {
  return volumePaths(Object.keys(volumes)).map((destination) => ({
    ...mount(destination, 'tmpfs', 'none'),
    options: [...VOLUME_OPTIONS]
  }))
}

/** What rootless mounts depend on and only the host knows. */
export interface RootlessHost {
  /**
   * Mount flags of the file system that contains the host's /etc/resolv.conf and that a user namespace may not clear
   * (`ro`, `nodev`, `noexec`, `nosuid`, `noatime`, `relatime`, `nodiratime`); undefined: there is no such file.
   */
  resolvConfFlags: readonly string[] | undefined
}

/** Without privileges, sysfs cannot be mounted and other owners cannot be set. The host's network stays visible. */
export function rootlessMounts(mounts: readonly Mount[], host: RootlessHost): Mount[] {
  const kept = mounts.filter(({ destination }) => !/^\/sys(\/|$)/.test(destination))
  const sys = mount('/sys', 'bind', '/sys', 'rbind,nosuid,noexec,nodev,ro')
  return [...kept.map(withoutOwner), sys, ...resolvConf(host)]
}

function resolvConf({ resolvConfFlags }: RootlessHost): Mount[] {
  if (resolvConfFlags === undefined) return []
  const options = [...resolvConfFlags, 'rbind', 'ro']
  return [{ ...mount('/etc/resolv.conf', 'bind', '/etc/resolv.conf'), options }]
}

function withoutOwner(mount: Mount): Mount {
  if (mount.options === undefined) return mount
  return { ...mount, options: mount.options.filter((option) => !/^[ug]id=/.test(option)) }
}

function mount(destination: string, type: string, source: string, options?: string): Mount {
  if (options === undefined) return { destination, type, source }
  return { destination, type, source, options: options.split(',') }
}
