/**
 * How to undo what a plan does to an existing tree: one step for each operation, to be carried out in reverse order,
 * and what must be remembered of the tree before the first operation.
 */
import type { ByteString } from '../bytes.ts'
import { parentPath } from './names.ts'
import type { Operation } from './operations.ts'
import { Origins } from './origins.ts'

/** Paths are those at the time of the operation, since all later ones will have been undone. */
export type UndoStep =
  | { undo: 'nothing' }
  | { undo: 'move'; from: ByteString; to: ByteString }
  /** Removes `path`, which is another name of what is at `of`. */
  | { undo: 'unlink'; path: ByteString; of: ByteString }
  | { undo: 'remove-directory'; path: ByteString }
  /** Gives an unfinished directory a mode that lets its owner move it. */
  | { undo: 'make-private'; path: ByteString }
  /**
   * Restores all metadata of what was at `origin` before the first operation. The name of the step is part of the
   * journal's format.
   */
  | { undo: 'describe'; path: ByteString; origin: ByteString }

export interface Undo {
  steps: UndoStep[]
  /**
   * By their paths before the first operation: directories and links whose metadata must all be remembered (true), and
   * directories of which only the times will change (false).
   */
  remembered: Map<ByteString, boolean>
  /** What else is moved to another directory, by its path before the first operation. */
  moved: Set<ByteString>
}

/** @param workspace the path of the directory below which everything is new */
export function planUndo(operations: readonly Operation[], workspace: ByteString): Undo {
  const planner = new UndoPlanner(workspace)
  const steps = operations.map((operation) => planner.step(operation))
  return { steps, remembered: planner.remembered, moved: planner.moved }
}

class UndoPlanner {
  readonly remembered = new Map<ByteString, boolean>()
  readonly moved = new Set<ByteString>()
  private readonly origins: Origins

  constructor(workspace: ByteString) {
    this.origins = new Origins(workspace)
  }

  step(operation: Operation): UndoStep {
    switch (operation.op) {
      case 'make':
        this.touch(operation.path)
        this.origins.make(operation.path)
        return { undo: 'remove-directory', path: operation.path }
      case 'move':
        this.touch(operation.from)
        this.touch(operation.to)
        this.noteMoved(operation.from)
        this.origins.move(operation.from, operation.to)
        return { undo: 'move', from: operation.to, to: operation.from }
      case 'link':
        this.touch(operation.to)
        this.origins.link(operation.from, operation.to)
        return { undo: 'unlink', path: operation.to, of: operation.from }
      case 'write-directory-metadata':
        if (operation.isNew) return { undo: 'make-private', path: operation.path }
        return this.metadata(operation.path)
      case 'rewrite-link-metadata':
      case 'set-mode':
        return this.metadata(operation.path)
      case 'restore-times':
        this.touchDirectory(operation.path)
        return { undo: 'nothing' }
      case 'whiteout':
      case 'opaque':
      case 'copy-up':
        throw new Error(`[internal] "${operation.op}" is only for new directories`)
    }
  }

  private metadata(path: ByteString): UndoStep {
    const origin = this.origins.of(path)
    if (origin === undefined) return { undo: 'nothing' }
    this.remembered.set(origin, true)
    return { undo: 'describe', path, origin }
  }

  private noteMoved(path: ByteString): void {
    const origin = this.origins.of(path)
    if (origin !== undefined) this.moved.add(origin)
  }

  /** Adding or removing something at a path changes the times of its directory. */
  private touch(path: ByteString): void {
    this.touchDirectory(parentPath(path))
  }

  private touchDirectory(path: ByteString): void {
    const origin = this.origins.of(path)
    if (origin !== undefined && !this.remembered.has(origin)) this.remembered.set(origin, false)
  }
}
