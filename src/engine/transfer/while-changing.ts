/** Images that an operation changes: opened, kept while they are changed, and brought to where they belong. */
import { whileInUse } from '../../store/blobs-lock.ts'
import { inTemporary } from '../../store/temporary-space.ts'
import type { ImageName } from '../../transports/list.ts'
import { changeImages, isInLayout } from '../../transports/open-images.ts'
import type { ChangeableImages, ChangeOptions, OpenOptions } from '../../transports/transport.ts'
import { pause } from '../operation/abort.ts'
import type { OnEvent } from '../operation/events.ts'
import { choiceTo, warningTo } from '../operation/warnings.ts'
import { transferHelp } from './transfer-help.ts'

export interface ChangingOptions extends Omit<ChangeOptions, keyof OpenOptions> {
  registry?: OpenOptions['registry']
  signal: AbortSignal | undefined
  onEvent: OnEvent
}

export interface Changing extends Pick<ChangeableImages, 'layout' | 'tag'> {
  /** Brings the image with this tag to where it belongs: the last step that can fail. */
  publish: (tag: string) => Promise<void>
}

/** No blob of the layout is collected meanwhile. @throws ABORTED, and what opening and publishing throw */
export async function whileChanging<T>(
  name: ImageName,
  options: ChangingOptions,
  act: (images: Changing) => Promise<T>
): Promise<T> {
  const { signal, onEvent } = options
  const images = await changeImages(name, {
    ...options,
    onWarning: warningTo(onEvent),
    onChoice: choiceTo(onEvent),
    onRetry: onEvent
  })
  try {
    const { layout, tag } = images
    const publish = (to: string): Promise<void> => images.publish(to, transferHelp(options))
    const wait = (): Promise<void> => pause(signal)
    const change = (): Promise<T> =>
      whileInUse(layout.path, wait, () => act({ layout, tag, publish }))
    return await (isInLayout(name) ? change() : inTemporary(layout.path, change))
  } finally {
    images.close()
  }
}
