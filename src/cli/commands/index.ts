import type { Command } from '../command.ts'
import { bundleDeleteCommand } from './bundle.ts'
import { addLayerCommand, diffCommand, insertCommand, repackCommand } from './change.ts'
import { configCommand, runtimeConfigCommand } from './config.ts'
import { hooksCheckCommand, hooksGcCommand, hooksTestCommand } from './hooks.ts'
import { copyCommand, verifyCommand } from './images.ts'
import { rawUnpackCommand, unpackCommand } from './unpack.ts'

export const COMMANDS: readonly Command[] = [
  unpackCommand,
  repackCommand,
  diffCommand,
  configCommand,
  insertCommand,
  rawUnpackCommand,
  runtimeConfigCommand,
  addLayerCommand,
  copyCommand,
  verifyCommand,
  bundleDeleteCommand,
  hooksCheckCommand,
  hooksTestCommand,
  hooksGcCommand
]
