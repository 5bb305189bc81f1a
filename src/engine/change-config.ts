/** Changes the config of an image without adding a layer. */
import {
  changeConfig,
  changeManifest,
  changePlatform,
  type ConfigChanges
} from '../image/config-changes.ts'
import type { DocumentEdit } from './edit/add-to-image.ts'
import type { ChangeResult } from './edit/change-options.ts'
import { changeTag, type TagOptions } from './change-tag.ts'
import { requireOptions } from './operation/required-options.ts'

export interface ConfigOptions extends Omit<
  TagOptions,
  'compress' | 'level' | 'jobs' | 'timePrecision'
> {
  changes: ConfigChanges
}

/**
 * Changes the config of an image and annotations of its manifest in one atomic step. Unknown fields are kept. Without
 * changes, only a history entry is added. @throws OciUnpackError with a stable `code`
 */
export async function configureImage(options: ConfigOptions): Promise<ChangeResult> {
  requireOptions(options, { image: 'text', changes: 'object' })
  const { changes, ...tagOptions } = options
  return changeTag(tagOptions, {
    command: 'config',
    inheritAuthor: true,
    edit: Object.keys(changes).length === 0 ? {} : documentEdit(changes)
  })
}

function documentEdit(changes: ConfigChanges): DocumentEdit {
  return {
    config: (config) => changeConfig(config, changes),
    manifest: (manifest) => changeManifest(manifest, changes),
    platform: (platform) => changePlatform(platform, changes)
  }
}
