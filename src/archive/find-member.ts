/** Finds the member of an archive that a path leads to. Links are followed as if the archive were the whole disk. */
import { fromText, type ByteString } from '../bytes.ts'
import type { Member } from './members.ts'

/** Why a path does not lead to a member. */
export type NotFound =
  | 'missing'
  | 'a link to a missing file'
  | 'a link that leads out of the archive'
  | 'links that lead in a circle'
  | 'two members of this name that differ'

const MAX_LINKS = 255

/** Symbolic links are relative to their directory; hard links name a member. */
export function findMember(
  members: ReadonlyMap<ByteString, Member>,
  path: string
): Member | NotFound {
  let left: ByteString[] = fromText(path).split('/')
  let walked: ByteString[] = []
  let links = 0
  for (let part = left.shift(); part !== undefined; part = left.shift()) {
    if (part === '' || part === '.') continue
    if (part !== '..') walked.push(part)
    else if (walked.pop() === undefined) return links === 0 ? 'missing' : LEADS_OUT
    const member = members.get(walked.join('/'))
    if (member !== undefined && member.type !== 'file' && member.rivals.length > 0)
      return 'two members of this name that differ'
    if (member?.type !== 'symlink' && member?.type !== 'hardlink') continue
    if (++links > MAX_LINKS) return 'links that lead in a circle'
    if (member.link.startsWith('/')) return LEADS_OUT
    left = [...member.link.split('/'), ...left]
    walked = member.type === 'symlink' ? walked.slice(0, -1) : []
  }
  return members.get(walked.join('/')) ?? (links === 0 ? 'missing' : 'a link to a missing file')
}

const LEADS_OUT = 'a link that leads out of the archive'
