/** Working with a layout or archive whose blobs nothing may collect meanwhile. */
import type { ImageName } from '../../image/reference.ts'
import type { ImageSource } from '../../store/image-source.ts'
import { whileInUse } from '../../store/blobs-lock.ts'
import type { LayoutOptions } from '../../store/layout.ts'
import { pause } from '../operation/abort.ts'
import { openSource } from './open-source.ts'

/** Runs `act` on what holds an image. Of a layout no blob is collected meanwhile. @throws ABORTED, and as `openSource` */
export async function withSource<T>(
  name: Pick<ImageName, 'transport' | 'path'>,
  { signal, ...options }: LayoutOptions & { signal: AbortSignal | undefined },
  act: (source: ImageSource) => Promise<T>
): Promise<T> {
  const source = await openSource(name, options)
  return name.transport === 'oci'
    ? whileInUse(
        source.path,
        () => pause(signal),
        () => act(source)
      )
    : act(source)
}
