/** The task of a thread that has nothing else to do: it helps with a layer that another thread reads. */
import type { Control } from './control.ts'
import type { VerifiedBlob } from '../store/blob.ts'
import { SharedCells } from '../sys/shared-cells.ts'
import { LayerLine, type LineTask } from './layer-line.ts'
import { CELL, PATIENCE_MS } from './line-cells.ts'
import { lineHashes, openSharedBlob, type LineHashes } from './line-hashes.ts'
import { FORMATS, lineMemory, type LineMemory } from './line-memory.ts'

export interface AssistLayerTask extends LineTask {
  type: 'assist-layer'
  line: SharedArrayBuffer
}

/** While the chunks ahead of the parser are fewer, reading is more urgent than hashing. */
const AHEAD = 3

/**
 * Returns when the layer is finished, when this thread is needed elsewhere, or when the operation is stopped; `unable` if
 * this thread cannot help.
 */
export function assistLayer(task: AssistLayerTask, control: Control): 'unable' | undefined {
  const memory = lineMemory(task.line)
  const cells = new SharedCells(memory.cells)
  const isWanted = (): boolean =>
    cells.get(CELL.closed) === 0 && cells.get(CELL.leave) === 0 && !control.aborted()
  cells.add(CELL.assistants, 1)
  try {
    const compression = whatIsOnLine(cells, isWanted)
    if (compression === undefined) return undefined
    return assist(memory, { ...task, compression }, control, isWanted)
  } finally {
    cells.add(CELL.assistants, -1)
    cells.signal(CELL.signal)
  }
}

/** The layer's own thread opens the line when it knows what the blob is. */
function whatIsOnLine(
  cells: SharedCells,
  isWanted: () => boolean
): LineTask['compression'] | undefined {
  while (isWanted()) {
    const seen = cells.get(CELL.signal)
    const format = FORMATS[cells.get(CELL.format)]
    if (format !== undefined) return format
    cells.wait(CELL.signal, seen, PATIENCE_MS)
  }
  return undefined
}

function assist(
  memory: LineMemory,
  task: LineTask,
  control: Control,
  isWanted: () => boolean
): 'unable' | undefined {
  const hashes = lineHashes(memory, task)
  const blob = openAgain(memory, task, hashes)
  if (blob === undefined) return 'unable'
  try {
    const line = new LayerLine(memory, task, control, { blob, hashes })
    while (isWanted()) {
      const seen = line.cells.get(CELL.signal)
      if (!doOneThing(line)) line.cells.wait(CELL.signal, seen, PATIENCE_MS)
    }
    return undefined
  } finally {
    blob.close()
  }
}

/** The layer's own thread has it open, and needs no help if too many files are. */
function openAgain(
  memory: LineMemory,
  task: LineTask,
  hashes: LineHashes
): VerifiedBlob | undefined {
  try {
    return openSharedBlob(memory, task, hashes)
  } catch {
    return undefined
  }
}

function doOneThing(line: LayerLine): boolean {
  const ahead = line.cells.get(CELL.read) - line.cells.get(CELL.parsed)
  if (ahead < AHEAD && line.tryRead()) return true
  return line.tryHash() || line.tryRead()
}
