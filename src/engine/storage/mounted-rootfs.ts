/** Has hooks mount the root file system of a finished bundle again, for example after a reboot, or unmount it. */
import { realpathSync } from 'node:fs'
import { display, fromText } from '../../bytes.ts'
import { OciUnpackError, type Facts } from '../../errors.ts'
import { said, type HookSet, type Said } from '../../hooks/calls.ts'
import type { BundleContext } from '../../hooks/contexts.ts'
import { hookName } from '../../hooks/points.ts'
import { mountsBelow } from '../../sys/mounts.ts'
import { isMounted } from '../bundle/shown-rootfs.ts'
import { checkShown } from './check-targets.ts'

/** The hook decides what is mounted already, so it is called in any case. */
export async function mountAgain(
  hooks: HookSet,
  context: BundleContext,
  signal: AbortSignal | undefined
): Promise<void> {
  const wasMounted = isMounted(context.bundle)
  try {
    const outcome = await hooks.call('mount', context, signal)
    if (!isMounted(context.bundle)) throw notMounted(hooks, context, outcome)
    checkShown(context.rootfs, factsOf(hooks, 'mount', context, outcome))
  } catch (error) {
    if (!wasMounted) await attemptToUnmount(hooks, context)
    throw error
  }
}

export async function unmount(
  hooks: HookSet,
  context: BundleContext,
  signal: AbortSignal | undefined
): Promise<void> {
  assertNothingInside(context)
  const outcome = await hooks.call('umount', context, signal)
  if (isMounted(context.bundle)) throw stillMounted(hooks, context, outcome)
}

/** The failure that led here says more. */
async function attemptToUnmount(hooks: HookSet, context: BundleContext): Promise<void> {
  try {
    await hooks.call('umount', context)
  } catch {
    // as said above
  }
}

/** What others mounted in the root file system is theirs to unmount. */
function assertNothingInside({ bundle, rootfs }: BundleContext): void {
  const place = `${fromText(realpathSync(bundle))}/${rootfs.slice(bundle.length + 1)}`
  const [point] = mountsBelow(place)
  if (point === undefined) return
  throw new OciUnpackError('BUNDLE_BUSY', 'The root file system cannot be unmounted.', {
    facts: { path: display(point), reason: 'something is mounted there' },
    hint: 'Unmount it, and try again.'
  })
}

function notMounted(hooks: HookSet, context: BundleContext, outcome: Said): OciUnpackError {
  if (!hooks.points.has('mount')) return noHook(hooks, 'mount', context)
  return new OciUnpackError('HOOK_ANSWER_INVALID', 'The answer of a hook cannot be used.', {
    facts: { ...factsOf(hooks, 'mount', context, outcome), reason: 'it did not mount the rootfs' },
    hint: 'Check what the hook does: {hooks.trace} records every call.'
  })
}

function stillMounted(hooks: HookSet, context: BundleContext, outcome: Said): OciUnpackError {
  if (!hooks.points.has('umount')) return noHook(hooks, 'umount', context)
  return new OciUnpackError('HOOK_ANSWER_INVALID', 'The answer of a hook cannot be used.', {
    facts: { ...factsOf(hooks, 'umount', context, outcome), reason: 'it left the rootfs mounted' },
    hint: 'Check what the hook does: {hooks.trace} records every call.'
  })
}

function noHook(
  hooks: HookSet,
  point: 'mount' | 'umount',
  { rootfs }: BundleContext
): OciUnpackError {
  return new OciUnpackError('HOOKS_INVALID', `The hook set has no hook that can ${point} it.`, {
    facts: { hooks: hooks.name, path: rootfs },
    hint: `Add a [${hookName(point)}] section to its hooks.toml, or ${point} the root file system by hand.`
  })
}

function factsOf(
  hooks: HookSet,
  point: 'mount' | 'umount',
  { rootfs }: BundleContext,
  outcome: Said
): Facts {
  return { hooks: hooks.name, hook: hookName(point), path: rootfs, ...said(outcome) }
}
