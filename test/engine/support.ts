import { expect } from 'vitest'
import type { EngineEvent, UnpackOptions } from '../../src/index.ts'
import { OciUnpackError } from '../../src/errors.ts'
import { buildImage, type Image } from '../support/image-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { unpackOptions } from '../support/whoever.ts'

/** What a test needs of an unpack: where, what, and that anybody may own what root owns in the image. */
export function optionsFor(work: string, image: Image | Buffer[]): UnpackOptions {
  const { reference } = buildImage(
    `${work}/layout`,
    Array.isArray(image) ? { layers: image } : image
  )
  return {
    image: reference,
    destination: `${work}/made`,
    ...unpackOptions
  }
}

/** Runs with a new directory and removes it whatever happens. */
export async function inScratch(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = makeTemporary()
  try {
    await work(directory)
  } finally {
    removeTemporary(directory)
  }
}

/** The code of the failure; that of another copy of the class too. */
export async function codeOf(action: Promise<unknown>): Promise<string> {
  try {
    await action
    return 'no failure'
  } catch (error) {
    expect(error).toMatchObject({ name: OciUnpackError.name, facts: {} })
    return (error as OciUnpackError).code
  }
}

export function recorder(): { events: EngineEvent[]; onEvent: (event: EngineEvent) => void } {
  const events: EngineEvent[] = []
  return { events, onEvent: (event) => void events.push(event) }
}
