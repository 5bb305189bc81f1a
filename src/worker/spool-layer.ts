/** The task of decompressing and verifying a layer ahead of its turn: its tar goes to a file. */
import { fromText, type ByteString } from '../bytes.ts'
import { close, createFile, openOperatorDirectory, writeAllAt } from '../sys/files.ts'
import { addressOf } from '../sys/libc.ts'
import type { Control } from './control.ts'
import { limited, TarSizeCheck, type TarSizeLimits } from './tar-limits.ts'
import { readVerifiedTar, type VerifiedTarReport, type VerifiedTarTask } from './verified-tar.ts'

export interface SpoolLayerTask extends VerifiedTarTask {
  type: 'spool-layer'
  limits: TarSizeLimits
  /** Absolute path of a private directory. */
  directory: string
  /** Name of a new file in it. */
  name: ByteString
}

/** @throws as `readVerifiedTar` does, and SYSCALL_FAILED; the file may exist even so */
export async function spoolLayer(
  task: SpoolLayerTask,
  control: Control,
  report: VerifiedTarReport
): Promise<void> {
  const fd = createIn(task)
  try {
    let written = 0
    const size = new TarSizeCheck(control, task.layer, task.source.size, task.limits)
    const file = {
      push: (chunk: Buffer) => {
        writeAllAt(fd, addressOf(chunk), chunk.length, written)
        written += chunk.length
      },
      finish: () => undefined
    }
    await readVerifiedTar(task, control, report, limited(size, file))
  } finally {
    close(fd)
  }
}

function createIn({ directory, name }: SpoolLayerTask): number {
  const fd = openOperatorDirectory(fromText(directory))
  try {
    return createFile(fd, name, 0o600)
  } finally {
    close(fd)
  }
}
