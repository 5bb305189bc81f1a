/**
 * The policy for root without all privileges, in a user namespace or a container: as `exact`, but devices are empty files
 * where the kernel does not let us make them.
 */
import { exact, type IdMaps } from './exact.ts'
import type { MetadataPolicy } from './metadata-policy.ts'
import { deviceOf, standIn } from './stand-in.ts'

export interface LimitedChoice extends IdMaps {
  kind: 'limited'
  makesDevices: boolean
}

export const limited: MetadataPolicy<LimitedChoice> = {
  toDisk(entry, choice) {
    const object = exact.toDisk(entry, choice)
    return choice.makesDevices ? object : standIn(object)
  },

  fromDisk: (object, choice) => exact.fromDisk(object, choice),

  unheld(entry, choice) {
    return { ...exact.unheld(entry, choice), ...(choice.makesDevices ? {} : deviceOf(entry)) }
  }
}
