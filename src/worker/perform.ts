import { checkBlob, type CheckBlobTask } from './check-blob.ts'
import type { Control } from './control.ts'
import { hashFiles, type HashFilesTask } from './hash-files.ts'
import { scanTree, type ScanTreeReport, type ScanTreeTask } from './scan-tree.ts'
import { spoolLayer, type SpoolLayerTask } from './spool-layer.ts'
import { stageLayer, type StageLayerReport, type StageLayerTask } from './stage-layer.ts'

/** What a thread can be asked to do. Tasks are plain functions: they run without a thread, too. */
export type Task = StageLayerTask | SpoolLayerTask | HashFilesTask | CheckBlobTask | ScanTreeTask

/** What a task tells while it runs. */
export type Report = StageLayerReport & ScanTreeReport

export const SILENT: Report = {
  entries: () => undefined,
  lostXattr: () => undefined,
  scanned: () => undefined
}

/** Digests, of a task that is asked for digests. */
export type TaskResult = readonly string[]

export async function perform(task: Task, control: Control, report: Report): Promise<TaskResult> {
  switch (task.type) {
    case 'stage-layer':
      await stageLayer(task, control, report)
      return []
    case 'spool-layer':
      await spoolLayer(task, control)
      return []
    case 'check-blob':
      return checkBlob(task, control)
    case 'hash-files':
      return hashFiles(task, control)
    case 'scan-tree':
      scanTree(task, control, report)
      return []
  }
}
