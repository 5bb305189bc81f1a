import type { Command } from '../command.ts'
import { addLayerCommand, diffCommand, insertCommand, repackCommand } from './change.ts'
import { copyCommand, verifyCommand } from './images.ts'
import { rawUnpackCommand, unpackCommand } from './unpack.ts'

export const COMMANDS: readonly Command[] = [
  unpackCommand,
  repackCommand,
  diffCommand,
  insertCommand,
  rawUnpackCommand,
  addLayerCommand,
  copyCommand,
  verifyCommand
]
