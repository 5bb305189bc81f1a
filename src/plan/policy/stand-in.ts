/** Empty files in place of device nodes, where the kernel lets nobody make these. */
import type { ObjectMetadata, Unheld } from './metadata-policy.ts'

/** The object itself, or a file in place of a device: with everything else that the device has. */
export function standIn(object: ObjectMetadata): ObjectMetadata {
  return isDevice(object) ? { ...object, type: 'file', devMajor: 0, devMinor: 0 } : object
}

/** What a stand-in does not say about its device. */
export function deviceOf(object: ObjectMetadata): Unheld {
  if (!isDevice(object)) return {}
  const { type, devMajor, devMinor } = object
  return { type, devMajor, devMinor }
}

function isDevice({ type }: ObjectMetadata): boolean {
  return type === 'char' || type === 'block'
}
