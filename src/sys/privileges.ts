/** What the kernel lets this process do: its capabilities (capabilities(7)) and its user namespace. */
import { readFile } from './read.ts'

export interface Privileges {
  /** Modes do not keep it out of files and directories (CAP_DAC_OVERRIDE). */
  overridesModes: boolean
  /** It can make device nodes (CAP_MKNOD in the initial user namespace). */
  makesDevices: boolean
  /** It can set attributes of every name, `trusted.*` too (CAP_SYS_ADMIN in the initial user namespace). */
  setsEveryXattr: boolean
  /** It can mount file systems that are on devices or in files (CAP_SYS_ADMIN in the initial user namespace). */
  mountsImages: boolean
}

const CAP_DAC_OVERRIDE = 1n
const CAP_SYS_ADMIN = 21n
const CAP_MKNOD = 27n

let known: Privileges | undefined

/** Read once: the program never changes its own privileges. */
export function privileges(): Privileges {
  known ??= privilegesFrom(text('/proc/self/status'), text('/proc/self/uid_map'))
  return known
}

/** @param status content of /proc/self/status @param uidMap content of /proc/self/uid_map */
export function privilegesFrom(status: string, uidMap: string): Privileges {
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`)
  const has = (bit: bigint): boolean => ((effective >> bit) & 1n) === 1n
  return {
    overridesModes: has(CAP_DAC_OVERRIDE),
    makesDevices: has(CAP_MKNOD) && isInitial(uidMap),
    setsEveryXattr: has(CAP_SYS_ADMIN) && isInitial(uidMap),
    mountsImages: has(CAP_SYS_ADMIN) && isInitial(uidMap)
  }
}

/** The initial user namespace maps every id to itself. A kernel without user namespaces has no such file. */
export function isInitial(uidMap: string): boolean {
  return uidMap.trim() === '' || /^\s*0\s+0\s+4294967295\s*$/.test(uidMap)
}

function text(path: string): string {
  try {
    return readFile(path).toString('latin1')
  } catch {
    return ''
  }
}
