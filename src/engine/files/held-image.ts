/** An image that stays open after the call that opened it. */
import type { ImageJob } from '../extract/job.ts'
import type { ImageSettings } from '../extract/unpack-options.ts'
import { withImage } from '../transfer/with-image.ts'

export interface Held<T> {
  value: T
  /** Closes the image. */
  readonly release: () => Promise<void>
}

/** @param name the image as its user named it @throws what opening it and `open` throw; then nothing is held */
export function holdImage<T>(
  name: string,
  settings: ImageSettings,
  open: (job: ImageJob) => Promise<T>
): Promise<Held<T>> {
  return new Promise((resolve, reject) => {
    const holding = withImage(name, settings, async (job) => {
      const value = await open(job)
      await new Promise<void>((close) => {
        const release = async (): Promise<void> => {
          close()
          await holding
        }
        resolve({ value, release })
      })
    })
    holding.catch(reject)
  })
}
