import type { Command } from '../command.ts'
import { addLayerCommand, diffCommand, insertCommand, repackCommand } from './change.ts'
import { newCommand, removeCommand, statCommand, tagCommand } from './image.ts'
import { gcCommand, initCommand, listCommand } from './layout.ts'
import { mtreeValidateCommand } from './mtree.ts'
import { rawUnpackCommand, unpackCommand } from './unpack.ts'

export const COMMANDS: readonly Command[] = [
  unpackCommand,
  repackCommand,
  diffCommand,
  insertCommand,
  initCommand,
  newCommand,
  tagCommand,
  removeCommand,
  listCommand,
  statCommand,
  gcCommand,
  rawUnpackCommand,
  addLayerCommand,
  mtreeValidateCommand
]
