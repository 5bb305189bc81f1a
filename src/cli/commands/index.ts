/** All commands, in the order of the help. */
import type { Command } from '../command.ts'
import {
  bundleDeleteCommand,
  bundleListCommand,
  bundleMountCommand,
  bundlePruneCommand,
  bundleSelectCommand,
  bundleSaveCommand,
  bundleUmountCommand,
  bundleUpgradeCommand
} from './bundle.ts'
import { addLayerCommand, diffCommand, insertCommand, repackCommand } from './change.ts'
import { configCommand, runtimeConfigCommand } from './config.ts'
import {
  erofsMakeCommand,
  erofsMountCommand,
  erofsUmountCommand,
  erofsVerifyCommand
} from './erofs.ts'
import {
  fileCatCommand,
  fileExportCommand,
  fileExtractCommand,
  fileIndexCommand,
  fileListCommand
} from './file.ts'
import { hooksCheckCommand, hooksGcCommand, hooksTestCommand } from './hooks.ts'
import { copyCommand, verifyCommand } from './images.ts'
import { newCommand, removeCommand, statCommand, tagCommand } from './image.ts'
import { gcCommand, initCommand, listCommand } from './layout.ts'
import { mtreeValidateCommand } from './mtree.ts'
import { fileServeCommand } from './serve.ts'
import { rawUnpackCommand, unpackCommand } from './unpack.ts'

export const PROGRAM_SUMMARY = 'Unpacks OCI images into runtime bundles, in parallel and verified.'

export const COMMANDS: readonly Command[] = [
  unpackCommand,
  repackCommand,
  diffCommand,
  configCommand,
  insertCommand,
  initCommand,
  newCommand,
  tagCommand,
  removeCommand,
  listCommand,
  statCommand,
  gcCommand,
  rawUnpackCommand,
  runtimeConfigCommand,
  addLayerCommand,
  mtreeValidateCommand,
  copyCommand,
  verifyCommand,
  fileListCommand,
  fileCatCommand,
  fileExtractCommand,
  fileServeCommand,
  fileExportCommand,
  fileIndexCommand,
  erofsMakeCommand,
  erofsVerifyCommand,
  erofsMountCommand,
  erofsUmountCommand,
  bundleMountCommand,
  bundleUmountCommand,
  bundleUpgradeCommand,
  bundleDeleteCommand,
  bundleSaveCommand,
  bundleListCommand,
  bundlePruneCommand,
  bundleSelectCommand,
  hooksCheckCommand,
  hooksTestCommand,
  hooksGcCommand
]
