/** What is mounted where, as this process sees it: proc_pid_mountinfo(5). */
import { readFileSync } from 'node:fs'
import type { ByteString } from '../bytes.ts'

/** Mount points below an absolute path that has no symbolic links in it. */
export function mountsBelow(path: ByteString): ByteString[] {
  return readFileSync('/proc/self/mountinfo', 'latin1')
    .split('\n')
    .map((line) => unescape(line.split(' ')[4] ?? ''))
    .filter((point) => point.startsWith(`${path}/`))
}

/** Space, tab, newline and backslash stand there as three octal digits. */
function unescape(field: string): ByteString {
  return field.replace(/\\([0-7]{3})/g, (_all, digits: string) =>
    String.fromCharCode(parseInt(digits, 8))
  )
}
