/** What every kind of copy needs to know. */
import type { CheckSettings } from './check-blobs.ts'
import type { OnEvent } from '../operation/events.ts'

export interface CopySettings extends CheckSettings {
  onEvent: OnEvent
}
