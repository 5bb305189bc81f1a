#!/usr/bin/env node
/** The program: runs the command line and exits. */
import { keepCompiledCode } from './compile-cache.ts'
import { setV8Flags } from './v8-flags.ts'

setV8Flags()
keepCompiledCode()
const { main } = await import('./run.ts')
/** A symbolic link may give this program another name. */
const name = process.argv[1]?.split('/').at(-1) ?? ''
process.exitCode = await main(process.argv.slice(2), name)
