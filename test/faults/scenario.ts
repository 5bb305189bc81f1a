/** A command that changes something, where it starts, and how to tell what it left. */
import type { Box } from './box.ts'

export interface Scenario {
  name: string
  /** Makes what the command finds, in a box that has only just been made. */
  prepare: (box: Box) => void | Promise<void>
  args: (box: Box) => string[]
  /** Who runs it: the user and group with this id, who owns the box; default root. */
  user?: number
  /** All that must be right, as text: before the command, after it, and after one that failed. */
  state: (box: Box) => string | Promise<string>
  /** What is run after the fault, if not the same command: it would hide a mixture of two images. */
  next?: (box: Box) => string[]
  /** When another state than before and after may be seen until the command runs again. */
  between: 'never' | 'after a kill' | 'after any failure'
  /** What a second run says where the first did all there was to do. */
  done?: RegExp
  /** The last commands, after which the names in the box must be those of an undisturbed run. */
  end?: (box: Box) => Promise<void>
}
