#!/usr/bin/env node
import { main } from './run.ts'

/** A symbolic link may give us the name of another program. */
const name = process.argv[1]?.split('/').at(-1) ?? ''
process.exitCode = await main(process.argv.slice(2), name)
