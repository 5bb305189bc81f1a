/** Where threads that have nothing else to do can help: the layers that are being read. */
import { OciUnpackError } from '../errors.ts'
import { SharedCells } from '../sys/shared-cells.ts'
import type { AssistLayerTask } from './assist-layer.ts'
import type { Control } from './control.ts'
import { isForLine } from './for-line.ts'
import { hashesFiles } from './hashes-files.ts'
import { CELL } from './line-cells.ts'
import { lineMemory, newLineMemory } from './line-memory.ts'
import type { ToWorker } from './messages.ts'
import { SILENT, type Report, type Task } from './perform.ts'

/** One thread may read ahead while another hashes. */
const MOST_ASSISTANTS = 2

/** What is left of a blob must be worth waking a thread, or starting one (30 ms). */
const WORTH_WAKING_BYTES = 1 << 19
const WORTH_STARTING_BYTES = 1 << 22

/** A thread that can be given a task. */
interface Assistant {
  perform(message: ToWorker, report: Report): Promise<unknown>
}

export class Assistance {
  private readonly lines = new Set<OfferedLine>()
  private waiting: (() => void)[] = []
  /** How many tasks wait for a thread that assists. */
  private recalls = 0

  /** The task, with the memory of a line if others can help with it. */
  offer<T extends Task>(task: T, control: Control): { task: T; line: OfferedLine | undefined } {
    const reading = layerOf(task)
    if (reading === undefined || !this.isWorth(reading.source.size, true))
      return { task, line: undefined }
    const memory = newLineMemory()
    const line = new OfferedLine({ ...reading, type: 'assist-layer', line: memory }, control)
    this.lines.add(line)
    return { task: { ...task, line: memory }, line }
  }

  /** The task has ended, whether or not it has opened the line. */
  withdraw(line: OfferedLine | undefined): void {
    if (line === undefined) return
    this.lines.delete(line)
    line.close()
  }

  /** The layer of which most is left, if any needs help more than a task needs a thread. @param isWarm whether a thread need not be started for it */
  neediest(isWarm: boolean): OfferedLine | undefined {
    if (this.recalls > 0) return undefined
    const needy = [...this.lines].filter(
      (line) => line.assistants < MOST_ASSISTANTS && line.isOpen && this.isWorth(line.left, isWarm)
    )
    return needy.toSorted((a, b) => a.assistants - b.assistants || b.left - a.left)[0]
  }

  /** A thread is free. */
  returned(): void {
    for (const wake of this.waiting.splice(0)) wake()
  }

  /** Calls assistants back until there is what was asked for. */
  async recall<T>(take: () => T | undefined): Promise<T> {
    this.recalls += 1
    try {
      for (;;) {
        for (const line of this.lines) line.dismiss()
        await new Promise<void>((resolve) => this.waiting.push(resolve))
        const taken = take()
        if (taken !== undefined) return taken
      }
    } finally {
      this.recalls -= 1
    }
  }

  end(): void {
    for (const line of this.lines) line.dismiss()
  }

  private isWorth(bytes: number, isWarm: boolean): boolean {
    return bytes >= (isWarm ? WORTH_WAKING_BYTES : WORTH_STARTING_BYTES)
  }
}

/** A layer that others can help with. */
export class OfferedLine {
  assistants = 0
  /** Assistants have found that they cannot help with it. */
  private isHopeless = false
  private readonly task: AssistLayerTask
  private readonly control: Control
  private readonly cells: SharedCells

  constructor(task: AssistLayerTask, control: Control) {
    this.task = task
    this.control = control
    this.cells = new SharedCells(lineMemory(task.line).cells)
  }

  /** Whether assistants can help, and the layer's own thread has not given up. */
  get isOpen(): boolean {
    return !this.isHopeless && !this.control.aborted() && this.cells.get(CELL.closed) === 0
  }

  /** Bytes of the blob that have not been read. */
  get left(): number {
    const { source, layer } = this.task
    return source.size - this.control.layer(layer).read
  }

  /** Resolves when the assistant has left. */
  async assistedBy(thread: Assistant): Promise<void> {
    this.assistants += 1
    this.cells.set(CELL.leave, 0)
    try {
      const message = { task: this.task, control: this.control.memory }
      this.isHopeless ||= (await thread.perform(message, SILENT)) === 'unable'
    } catch (error) {
      if (!isAbort(error)) this.desert(error)
    } finally {
      this.assistants -= 1
    }
  }

  dismiss(): void {
    this.cells.set(CELL.leave, 1)
    this.cells.signal(CELL.signal)
  }

  /** Assistants leave even if the layer's own thread has never come to the line. */
  close(): void {
    this.cells.set(CELL.closed, 1)
    this.cells.signal(CELL.signal)
  }

  /** What an assistant leaves behind when its thread dies, nobody knows. */
  private desert(error: unknown): void {
    this.control.failure ??= error
    this.control.abort()
    this.cells.set(CELL.deserted, 1)
    this.cells.signal(CELL.signal)
  }
}

/** Undefined if what the layer is said to be cannot be on a line. */
function layerOf(task: Task): Omit<AssistLayerTask, 'type' | 'line'> | undefined {
  switch (task.type) {
    case 'read-layer':
    case 'erofs-layer':
    case 'export-body':
    case 'spool-layer': {
      const { layer, source, compression, diffId } = task
      const digests = task.type === 'read-layer' && hashesFiles(task.sink)
      return isForLine(task) ? { layer, source, compression, diffId, digests } : undefined
    }
    case 'check-blob': {
      const { layer, source, content } = task
      if (content === undefined || !isForLine(content)) return undefined
      const { compression, diffId } = content
      return { layer, source, compression, diffId, digests: false }
    }
    default:
      return undefined
  }
}

export function isAbort(error: unknown): boolean {
  return error instanceof OciUnpackError && error.code === 'ABORTED'
}
