/** Writes single files and directories of an image below a directory, as `tar -x PATH…` does with an archive. */
import { resolve } from 'node:path'
import { ROOTFS_DIRECTORY } from '../bundle/files.ts'
import { OciUnpackError } from '../errors.ts'
import { target } from '../image/choice.ts'
import { LayerStack } from '../plan/layer-stack.ts'
import { makeDirectory } from '../sys/names.ts'
import { PRIVATE_MODE } from '../sys/private-mode.ts'
import type { ImageJob } from './extract/job.ts'
import { joinLayers } from './extract/join-layers.ts'
import { journaledPlanRoot, newPlanRoot, type PlanRoot } from './extract/plan-root.ts'
import { normalizeImage, type ImageOptions } from './extract/unpack-options.ts'
import { addWhatIsThere } from './files/destination-tree.ts'
import { findFiles } from './files/find-files.ts'
import { newDirectory } from './files/caller-metadata.ts'
import { bytesOf } from './files/regular-file.ts'
import { stageSelection } from './files/stage-selection.ts'
import { selectFiles, type Selection } from './files/selection.ts'
import { withImage } from './transfer/with-image.ts'
import { heedSignals } from './operation/abort.ts'
import { asked } from './operation/asked.ts'
import { requireOptions } from './operation/required-options.ts'
import { withWorkspace } from './place/with-workspace.ts'
import type { Workspace } from './place/workspace.ts'

export interface ExtractFilesOptions extends ImageOptions {
  /**
   * Paths in the image. A directory is extracted with its content. Links on the way are followed inside the image; one
   * at the end is extracted itself.
   */
  paths: readonly (string | Uint8Array)[]
  /** The directory to write below; made if it does not exist. */
  destination: string
  /** Replace existing files, which are an error by default. A directory is never replaced. */
  overwrite?: boolean
}

export interface ExtractFilesResult {
  /** Absolute path of the directory. */
  destination: string
  /** Digest of the image manifest. */
  manifestDigest: string
}

/**
 * Writes files below a directory, each under its full path in the image, as `tar -x` does. Directories on the way are
 * made as they are in the image; existing ones stay as they are. Everything that is written is verified before the
 * first change, links in the destination are not followed, and a failure leaves the destination as it was.
 * @throws OciUnpackError with a stable `code`
 */
export async function extractFiles(options: ExtractFilesOptions): Promise<ExtractFilesResult> {
  requireOptions(options, { image: 'text', destination: 'text', paths: 'list' })
  if (options.destination === '') throw empty('The path of the destination is empty.')
  if (options.paths.length === 0) throw empty('No path in the image is given.')
  const destination = resolve(options.destination)
  return asked({ image: options.image }, () =>
    withImage(options.image, normalizeImage(options), async (job) => {
      const found = await findFiles(job, options.paths.map(bytesOf), 'keep')
      const selection = selectFiles(found)
      await withWorkspace(destination, job.settings.onEvent, (workspace) =>
        write(job, workspace, selection, options.overwrite ?? false)
      )
      return { destination, manifestDigest: target(job.image.descriptorPath).digest }
    })
  )
}

function empty(message: string): OciUnpackError {
  return new OciUnpackError('USAGE', message)
}

async function write(
  job: ImageJob,
  workspace: Workspace,
  selection: Selection,
  overwrite: boolean
): Promise<void> {
  const { existing } = workspace
  const stack = new LayerStack({ keepDirlinks: false })
  if (existing !== undefined)
    addWhatIsThere(stack, existing.fd, workspace.destination, selection, overwrite)
  const planRoot =
    existing === undefined ? newPlanRoot(workspace) : journaledPlanRoot(workspace, existing)
  makeDirectory(planRoot.fd, planRoot.staging, PRIVATE_MODE)
  await stageSelection(job, stack, planRoot, selection)
  await heedSignals(job.settings.signal)
  join(job, stack, planRoot, existing === undefined ? ROOTFS_DIRECTORY : '')
  if (existing === undefined) workspace.publishOnly(ROOTFS_DIRECTORY)
}

function join({ settings }: ImageJob, stack: LayerStack, planRoot: PlanRoot, name: string): void {
  joinLayers(planRoot, stack, name, { implicit: newDirectory() }, settings.onEvent)
}
