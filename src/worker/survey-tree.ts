/** The task of looking at a part of a finished tree: its lines of the tree manifest, and its fingerprints. */
import { fileStat } from '../bundle/file-stat.ts'
import { FingerprintRecords } from '../bundle/fingerprints.ts'
import { toBuffer, type OwnedBytes } from '../bytes.ts'
import { TreeManifestLines, type Defaults, type SetLine } from '../mtree/lines.ts'
import type { SurveyPart } from '../plan/survey-parts.ts'
import { Surveyor, type SurveyedNode, type SurveyOptions } from '../rootfs/survey.ts'
import type { Control } from './control.ts'

export interface SurveyTreeTask extends SurveyOptions {
  type: 'survey-tree'
  part: SurveyPart
  /** The device of the root. */
  device: number
}

export interface SurveyedPart {
  text: OwnedBytes
  /** Where the text sets defaults first. */
  firstSet: SetLine
  lastDefaults: Defaults
  /** Of everything in the text. */
  fingerprints: OwnedBytes
}

/** @throws SYSCALL_FAILED, ABORTED */
export function surveyTree(task: SurveyTreeTask, control: Control): SurveyedPart {
  control.throwIfAborted()
  const lines = new TreeManifestLines()
  const pieces: Buffer[] = []
  const records = new FingerprintRecords(task.device)
  const surveyor = new Surveyor(task)
  const record = (node: SurveyedNode): SurveyedNode => {
    records.add(fileStat(node.status, node.xattrs ?? []))
    return node
  }
  try {
    for (const directory of task.part.directories) {
      lines.enter(directory.label, record(surveyor.directory(directory)))
      for (const position of directory.names.keys())
        lines.leaf(record(surveyor.leaf(directory, position)))
      lines.leave(directory.ends)
      pieces.push(toBuffer(lines.take()))
    }
  } finally {
    surveyor.release()
  }
  const { firstSet, lastDefaults } = lines
  const text = new Uint8Array(Buffer.concat(pieces))
  return { text, firstSet, lastDefaults, fingerprints: records.take() }
}
