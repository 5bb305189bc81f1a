/** What holds for every image that is refused, whoever unpacks it. */
import { expect } from 'vitest'
import { buildImage, type BuiltImage } from '../support/image-builder.ts'
import type { HostileCase } from './hostile-images.ts'
import { unpackInSandbox, type Unpacker } from './sandbox.ts'

/** The error has the code and names image, layer and entry; nothing is left or changed. */
export function expectRefused(
  { code, image, damage, layer, says = [] }: HostileCase,
  unpacker?: Unpacker
): void {
  let built: BuiltImage | undefined
  const build: Parameters<typeof unpackInSandbox>[0] = (box) => {
    built = buildImage(box.layout, image)
    damage?.(built, box)
    return built.reference
  }
  const { status, stderr, changes } = unpackInSandbox(build, undefined, unpacker)
  const named = layer === undefined ? [] : [built!.layers.at(layer)!.digest]
  const wanted = [code, built!.layout, ...named, ...says]
  expect(changes).toEqual([])
  expect(
    wanted.filter((text) => !stderr.includes(text)),
    stderr
  ).toEqual([])
  expect(stderr).not.toMatch(/^\s+at /m)
  expect(status).toBe(1)
}
