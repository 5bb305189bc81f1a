import type { Command } from '../command.ts'
import { rawUnpackCommand, unpackCommand } from './unpack.ts'

export const COMMANDS: readonly Command[] = [unpackCommand, rawUnpackCommand]
