/** Has hooks mount the root file system of a finished bundle again, for example after a reboot, or unmount it. */
import { realpathSync } from 'node:fs'
import { display, fromText } from '../../bytes.ts'
import { OciUnpackError } from '../../errors.ts'
import type { HookSet } from '../../hooks/calls.ts'
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
    await hooks.call('mount', context, signal)
    if (!isMounted(context.bundle)) throw notMounted(hooks, context)
    checkShown(context.rootfs, { hooks: hooks.name, hook: hookName('mount') })
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
  await hooks.call('umount', context, signal)
  if (isMounted(context.bundle)) throw stillMounted(hooks, context)
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

function notMounted(hooks: HookSet, { rootfs }: BundleContext): OciUnpackError {
  if (!hooks.points.has('mount')) return noHook(hooks, 'mount', rootfs)
  return new OciUnpackError('HOOK_ANSWER_INVALID', 'The answer of a hook cannot be used.', {
    facts: { ...factsOf(hooks, 'mount', rootfs), reason: 'it did not mount the root file system' },
    hint: 'Check what the hook does: {hooks.trace} records every call.'
  })
}

function stillMounted(hooks: HookSet, { rootfs }: BundleContext): OciUnpackError {
  if (!hooks.points.has('umount')) return noHook(hooks, 'umount', rootfs)
  return new OciUnpackError('HOOK_ANSWER_INVALID', 'The answer of a hook cannot be used.', {
    facts: { ...factsOf(hooks, 'umount', rootfs), reason: 'the root file system is still mounted' },
    hint: 'Check what the hook does: {hooks.trace} records every call.'
  })
}

function noHook(hooks: HookSet, point: 'mount' | 'umount', rootfs: string): OciUnpackError {
  return new OciUnpackError('HOOKS_INVALID', `The hook set has no hook that can ${point} it.`, {
    facts: { hooks: hooks.name, path: rootfs },
    hint: `Add a [${hookName(point)}] section to its hooks.toml, or ${point} the root file system by hand.`
  })
}

function factsOf(
  hooks: HookSet,
  point: 'mount' | 'umount',
  path: string
): { hooks: string; hook: string; path: string } {
  return { hooks: hooks.name, hook: hookName(point), path }
}
