import { buildImage } from '../support/image-builder.ts'
import { compareTrees } from '../support/compare-trees.ts'
import { ok, run, type Run } from '../support/run.ts'
import { directory, file, hardlink, symlink, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { ociUnpackCommand, ociUnpackOk } from './cli.ts'

/** A layout and a bundle of its image, both in a directory of their own. */
export interface RepackBox {
  /** Outside of what is watched. */
  work: string
  /** Holds layout and bundle. */
  box: string
  layout: string
  bundle: string
  rootfs: string
  /** Digest of the image manifest, hex. */
  manifest: string
}

export const LAYER = tar(
  directory('d/'),
  file('d/f', 'content'),
  hardlink('d/h', 'd/f'),
  file('d/g', 'content'),
  directory('e/'),
  file('e/x', 'x'),
  symlink('l', 'd')
)

export function makeBox(): RepackBox {
  const work = makeTemporary()
  const box = `${work}/box`
  ok('mkdir', box)
  const image = buildImage(`${box}/layout`, { layers: [LAYER] })
  const bundle = `${box}/bundle`
  ociUnpackOk('unpack', '--image', image.reference, bundle)
  const manifest = image.manifest.digest.replace('sha256:', '')
  return { work, box, layout: image.layout, bundle, rootfs: `${bundle}/rootfs`, manifest }
}

export function removeBox({ work }: RepackBox): void {
  removeTemporary(work)
}

/** What an action changed in the box, as compare-trees says it; but for times of the layout's directories. */
export function changesBy<T>(
  { work, box }: RepackBox,
  act: () => T
): { result: T; changes: string[] } {
  removeTemporary(`${work}/before`)
  ok('cp', '-a', box, `${work}/before`)
  const result = act()
  return { result, changes: changesSince(work, box) }
}

export function changesSince(work: string, box: string): string[] {
  return compareTrees(`${work}/before`, box, ['layout:mtime', 'layout/blobs/*:mtime'])
}

/** A run with other environment variables, `NAME=VALUE` each. */
export function runWith(environment: readonly string[], ...args: readonly string[]): Run {
  return run('env', ...environment, ...ociUnpackCommand, ...args)
}
