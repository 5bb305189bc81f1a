/** A private directory among the temporary files, for the duration of an operation. */
import { tmpdir } from 'node:os'
import { fromText } from '../../bytes.ts'
import { close, openOperatorDirectory } from '../../sys/files.ts'
import { makeWay } from '../../workspace/leftovers.ts'
import { PRIVATE_MODE } from '../../sys/private-mode.ts'
import { makePrivateDirectory } from '../../workspace/private-directory.ts'
import { privateName } from '../../workspace/private-name.ts'
import { aboutTemporary } from '../../store/temporary-space.ts'
import type { OnEvent } from '../operation/events.ts'
import { leftoverTo } from '../operation/leftover.ts'

/** Runs `act` with its descriptor. What killed runs left among the temporary files is removed. */
export async function withTemporaryDirectory<T>(
  onEvent: OnEvent,
  act: (directory: number) => Promise<T>
): Promise<T> {
  const path = tmpdir()
  const parent = openTemporary(path)
  try {
    makeWay(parent, path, leftoverTo(onEvent))
    const directory = makePrivateDirectory(parent, () => privateName(''), PRIVATE_MODE)
    try {
      return await act(directory.fd)
    } finally {
      directory.remove()
    }
  } finally {
    close(parent)
  }
}

function openTemporary(path: string): number {
  try {
    return openOperatorDirectory(fromText(path))
  } catch (error) {
    throw aboutTemporary(error)
  }
}
