/** All cases of the kit. */
import type { Case } from '../case.ts'
import { collecting } from './collecting.ts'
import { deleting } from './deleting.ts'
import { damaged, joined } from './images.ts'
import { failing } from './failing.ts'
import { killed, killedDuring } from './killed.ts'
import { mounting } from './mounting.ts'
import { deltaList, refresh } from './repacking.ts'
import { renamed } from './renamed.ts'
import { together } from './together.ts'
import { coldUnpack, links, metadata, sharedLayers, warmUnpack, whiteouts } from './unpacking.ts'

/** In this order: later cases depend on what earlier ones test. */
export const CASES: readonly Case[] = [
  coldUnpack,
  warmUnpack,
  sharedLayers,
  whiteouts,
  links,
  metadata,
  joined,
  failing,
  killed,
  killedDuring,
  together,
  deltaList,
  refresh,
  mounting,
  damaged,
  renamed,
  deleting,
  collecting
]
