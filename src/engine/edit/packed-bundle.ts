/** The tree of a bundle, for packing: with the owners of the image, and all that the disk does not hold. */
import { UnheldMemory } from '../../bundle/unheld.ts'
import { status } from '../../sys/status.ts'
import type { OpenBundle } from '../bundle/open-bundle.ts'
import type { PackedTree } from './open-packer.ts'
import { packingPolicy } from './packing-policy.ts'

/** @param digests whether the SHA-256 of each file is wanted */
export function treeOf(bundle: OpenBundle, digests: boolean): PackedTree {
  const unheld = unheldIn(bundle)
  return {
    root: bundle.rootfs,
    ledger: bundle.ledger,
    policy: packingPolicy(bundle.metadata.rootless, bundle.mapped),
    digests,
    ...(unheld === undefined ? {} : { unheld: (object) => unheld.of(object) })
  }
}

function unheldIn({ unheld, rootfs }: OpenBundle): UnheldMemory | undefined {
  const document = unheld()
  return document === undefined ? undefined : new UnheldMemory(document, status(rootfs, ''))
}
