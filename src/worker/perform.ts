/**
 * What a thread can be asked to do, and what it returns. Tasks are plain functions, so they run without a thread, too.
 */
import type { assistLayer } from './assist-layer.ts'
import type { checkBlob } from './check-blob.ts'
import type { checkErofs } from './check-erofs.ts'
import type { Control } from './control.ts'
import type { erofsLayer } from './erofs-layer.ts'
import type { exportBody } from './export-body.ts'
import type { hashFiles } from './hash-files.ts'
import type { hashTree } from './hash-tree.ts'
import type { indexLayer } from './index-layer.ts'
import type { readLayer, ReadLayerReport } from './read-layer.ts'
import type { scanTree, ScanTreeReport } from './scan-tree.ts'
import type { spoolLayer } from './spool-layer.ts'
import type { surveyTree } from './survey-tree.ts'

/** Each task has its own result type; what it finds along the way goes to its report. */
interface Performers {
  'read-layer': typeof readLayer
  'index-layer': typeof indexLayer
  'export-body': typeof exportBody
  'erofs-layer': typeof erofsLayer
  'spool-layer': typeof spoolLayer
  'assist-layer': typeof assistLayer
  'check-blob': typeof checkBlob
  'check-erofs': typeof checkErofs
  'hash-files': typeof hashFiles
  'hash-tree': typeof hashTree
  'scan-tree': typeof scanTree
  'survey-tree': typeof surveyTree
}

export type Task = Parameters<Performers[keyof Performers]>[0]

export type ResultOf<T extends Task> = Awaited<ReturnType<Performers[T['type']]>>

/** What tasks report while they run. */
export type Report = ReadLayerReport & ScanTreeReport

export const SILENT: Report = {
  entries: () => undefined,
  lostXattr: () => undefined,
  otherCompression: () => undefined,
  scanned: () => undefined
}

/** A thread loads only what its tasks need, because loading modules is most of the cost of starting one. */
const LOAD: { [Type in keyof Performers]: () => Promise<Performers[Type]> } = {
  'read-layer': async () => (await import('./read-layer.ts')).readLayer,
  'index-layer': async () => (await import('./index-layer.ts')).indexLayer,
  'export-body': async () => (await import('./export-body.ts')).exportBody,
  'erofs-layer': async () => (await import('./erofs-layer.ts')).erofsLayer,
  'spool-layer': async () => (await import('./spool-layer.ts')).spoolLayer,
  'assist-layer': async () => (await import('./assist-layer.ts')).assistLayer,
  'check-blob': async () => (await import('./check-blob.ts')).checkBlob,
  'check-erofs': async () => (await import('./check-erofs.ts')).checkErofs,
  'hash-files': async () => (await import('./hash-files.ts')).hashFiles,
  'hash-tree': async () => (await import('./hash-tree.ts')).hashTree,
  'scan-tree': async () => (await import('./scan-tree.ts')).scanTree,
  'survey-tree': async () => (await import('./survey-tree.ts')).surveyTree
}

export async function perform<T extends Task>(
  task: T,
  control: Control,
  report: Report
): Promise<ResultOf<T>> {
  const load: () => Promise<unknown> = LOAD[task.type]
  const run = (await load()) as (
    task: T,
    control: Control,
    report: Report
  ) => ResultOf<T> | Promise<ResultOf<T>>
  return run(task, control, report)
}
