/** The tasks that a thread can perform. */
import type { CheckBlobTask } from './check-blob.ts'
import type { Control } from './control.ts'
import type { HashFilesTask } from './hash-files.ts'
import type { ScanTreeReport, ScanTreeTask } from './scan-tree.ts'
import type { SpoolLayerTask } from './spool-layer.ts'
import type { StageLayerReport, StageLayerTask } from './stage-layer.ts'

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

/** A thread loads only what its tasks need: modules are most of what it costs to start one. */
export async function perform(task: Task, control: Control, report: Report): Promise<TaskResult> {
  switch (task.type) {
    case 'stage-layer':
      await (await import('./stage-layer.ts')).stageLayer(task, control, report)
      return []
    case 'spool-layer':
      await (await import('./spool-layer.ts')).spoolLayer(task, control)
      return []
    case 'check-blob':
      return (await import('./check-blob.ts')).checkBlob(task, control)
    case 'hash-files':
      return (await import('./hash-files.ts')).hashFiles(task, control)
    case 'scan-tree':
      await (await import('./scan-tree.ts')).scanTree(task, control, report)
      return []
  }
}
