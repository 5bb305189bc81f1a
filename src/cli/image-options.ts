/** The user's input as options of the library, for commands that read the layers of images. */
import type { ImageOptions, OnEvent } from '../index.ts'
import { isSet, text, type Input, type Terminal } from './command.ts'
import { jobsOption, limits, platformOption, required } from './flag-values.ts'

/** For a command that reads one image. */
export function imageOptions(input: Input, terminal: Terminal, onEvent: OnEvent): ImageOptions {
  return {
    image: required(input, 'image'),
    ...platformOption(input),
    ...readOptions(input, terminal),
    keepDirlinks: isSet(input, 'keep-dirlinks'),
    onEvent
  }
}

/** How layers are read, whichever they are. */
export function readOptions(
  input: Input,
  { signal }: Terminal
): Pick<ImageOptions, 'jobs' | 'decompressor' | 'limits' | 'signal'> {
  const decompressor = text(input, 'decompressor')
  return {
    ...jobsOption(input),
    ...(decompressor === undefined ? {} : { decompressor }),
    limits: limits(input),
    signal
  }
}
