/** Changes index.json. */
import { join } from 'node:path'
import type { RewrittenImage } from '../image/rewrite.ts'
import { indexBytes } from '../image/serialise.ts'
import { withTag } from '../image/tags.ts'
import type { ImageIndex } from '../image/types.ts'
import { close, openDirectory } from '../sys/files.ts'
import { lock } from '../sys/lock.ts'
import type { FinalName } from '../workspace/new-file.ts'
import { isThere } from './file.ts'
import { openLayout, VERSION_FILE, type LayoutOptions } from './layout.ts'
import type { Workspace } from './layout-workspace.ts'
import { layoutFileBytes } from './new-layout.ts'
import { putBlob } from './write.ts'

/**
 * Replaces index.json with what `edit` returns, in one atomic step: readers see either the old or the new one. Writers
 * take turns with an exclusive flock(2) on the layout directory, so no update of this program overwrites another; other
 * tools do not take this lock. Entries that are not valid stay as they are. A layout without a version file gets one. While another writer has it, `pause` is awaited, and can throw to give up.
 * @throws what reading throws; SYSCALL_FAILED
 */
export async function updateIndex(
  workspace: Workspace,
  edit: (index: ImageIndex) => ImageIndex,
  pause: () => Promise<void>,
  options: LayoutOptions = {}
): Promise<void> {
  const { layout, layoutPath, isHidden } = workspace
  const fd = openDirectory(layout, '.')
  try {
    if (!isHidden) await lock(fd, 'exclusive', pause)
    const index = edit(openLayout(layoutPath, options).readIndex())
    replace(workspace, workspace.indexName(), indexBytes(index))
    if (!isThere(join(layoutPath, VERSION_FILE)))
      replace(workspace, workspace.versionName(), layoutFileBytes())
  } finally {
    close(fd)
  }
}

/** Stores a rewritten image and then moves the tag to it. If this throws, the tag has not moved. */
export async function storeImage(
  workspace: Workspace,
  image: Pick<RewrittenImage, 'blobs' | 'descriptorPath'>,
  tag: string,
  pause: () => Promise<void>,
  options: LayoutOptions = {}
): Promise<void> {
  for (const { bytes } of image.blobs) putBlob(workspace, bytes)
  const edit = (index: ImageIndex): ImageIndex => withTag(index, tag, image.descriptorPath[0])
  await updateIndex(workspace, edit, pause, options)
}

function replace(workspace: Workspace, name: FinalName, bytes: Buffer): void {
  const file = workspace.newFile()
  try {
    file.write(bytes)
    file.publish(name)
  } finally {
    file.discard()
  }
}
