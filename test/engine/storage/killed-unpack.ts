/** An unpack that ends with a kill: a process of its own. Its argument is `Killed` as JSON. */
import type { UnpackOptions } from '../../../src/index.ts'
import { TENANTS } from './tenants.ts'

export interface Killed {
  /** File of the library. */
  library: string
  tenant: string
  /** The directory of its storage. */
  path: string
  options: UnpackOptions
  /** The type of the event that is its end, or a phase. */
  at: string
}

const { library, tenant, path, options, at } = JSON.parse(process.argv[2]!) as Killed
const { unpack } = (await import(library)) as typeof import('../../../src/index.ts')
const hooks = TENANTS.find(({ name }) => name === tenant)!.hooks(path)
await unpack({
  ...options,
  ...(hooks === undefined ? {} : { hooks }),
  onEvent(event) {
    if (event.type === at || (event.type === 'phase' && event.phase === at))
      process.kill(process.pid, 'SIGKILL')
  }
})
