/** An image with all that the disk of an ordinary user cannot hold, or holds in another way, and edits of it. */
import { buildImage } from '../support/image-builder.ts'
import {
  char,
  directory,
  fifo,
  file,
  hardlink,
  symlink,
  tar,
  type Entry
} from '../support/tar-builder.ts'

/** cap_net_raw+ep, as vfs_cap_data of revision 2 (linux/capability.h). */
export const CAPABILITY = Buffer.from('0100000200200000000000000000000000000000', 'hex').toString(
  'latin1'
)

/** u::rw-, u:200000:r--, g::r--, m::r--, o::r--, as linux/posix_acl_xattr.h has it: hardly a namespace has this user. */
const ACL = Buffer.from(
  '02000000' +
    '01000600ffffffff' +
    '02000400400d0300' +
    '04000400ffffffff' +
    '10000400ffffffff' +
    '20000400ffffffff',
  'hex'
).toString('latin1')

const attribute = (name: string, value: string): Pick<Entry, 'pax'> => ({
  pax: { [`SCHILY.xattr.${name}`]: value }
})

const LOWER = tar(
  directory('./', { mtime: 5 }),
  directory('etc/'),
  file('etc/passwd', 'root:x:0:0::/root:/bin/sh\napp:x:5:6::/:/bin/sh\n'),
  // owners
  file('owned', 'owned', { uid: 992, gid: 123, mode: 0o640 }),
  hardlink('hard', 'owned'),
  file('group', 'group', { gid: 456 }),
  file('user', 'user', { uid: 98 }),
  file('largest', '', { uid: 60_000, gid: 60_000 }),
  directory('home/', { uid: 1000, gid: 1000, mode: 0o700 }),
  file('home/file', 'content', { uid: 1000, gid: 1000 }),
  // what cannot have a user's attribute
  symlink('link', 'owned', { uid: 98, gid: 99 }),
  hardlink('second-link', 'link'),
  fifo('fifo', { uid: 7, gid: 8, mode: 0o640 }),
  // devices
  directory('dev/'),
  char('dev/null', 1, 3, { mode: 0o666 }),
  hardlink('dev/second-null', 'dev/null'),
  char('dev/tty', 5, 0, { gid: 5, mode: 0o620 }),
  char('dev/random', 1, 8, { mode: 0o444 }),
  { ...char('dev/disk', 8, 1, { gid: 6, mode: 0o660 }), flag: '4' },
  // attributes
  file('ping', 'ping', { mode: 0o755, ...attribute('security.capability', CAPABILITY) }),
  file('traceroute', 'traceroute', {
    mode: 0o755,
    ...attribute('security.capability', CAPABILITY)
  }),
  file('trusted', 'trusted', attribute('trusted.note', 'secret')),
  directory('trusted-directory/', attribute('trusted.note', 'secret')),
  file('noted', 'noted', { uid: 4, gid: 4, ...attribute('user.note', 'open') }),
  file('acl', 'acl', attribute('system.posix_acl_access', ACL)),
  // modes
  file('set-uid', 'set-uid', { uid: 33, mode: 0o4755 }),
  file('set-gid', 'set-gid', { gid: 42, mode: 0o2755 }),
  directory('set-gid-directory/', { gid: 50, mode: 0o2775 }),
  directory('sticky/', { mode: 0o1777 }),
  file('unreadable', 'unreadable', { uid: 33, mode: 0 }),
  directory('closed/', { mode: 0, uid: 9, gid: 9 }),
  file('closed/file', 'closed', { mode: 0, uid: 9, gid: 9 }),
  file('closed/gone'),
  directory('read-only/', { mode: 0o555 }),
  file('read-only/file', 'read', { mode: 0o444 }),
  file('read-only/gone'),
  directory('search-only/', { mode: 0o300 }),
  directory('search-only/below/', { mode: 0o111 }),
  file('search-only/below/file', 'below')
)

const UPPER = tar(
  file('closed/.wh.gone'),
  file('closed/file', 'from above', { mode: 0o400 }),
  file('read-only/.wh.gone'),
  file('read-only/new', 'new', { mode: 0o444, uid: 12 }),
  directory('search-only/below/', { mode: 0o101, gid: 3 })
)

/** Two layers, tagged `latest`, below those of `more`. */
export function buildRareImage(layout: string, ...more: readonly Buffer[]): void {
  buildImage(layout, { layers: [LOWER, UPPER, ...more] })
}

/** Owners whose attribute umoci does not see in a comparison, so that it packs these files again. */
export const HIDDEN = tar(
  file('write-only', 'written', { mode: 0o200, uid: 9, gid: 10 }),
  file('closed/owned', 'owned', { mode: 0o600, uid: 9, gid: 10 })
)

const TIME = '-d @1600000000'

/** In a copy, an object is known by its path, type, target and time. */
export const MODE_CHANGES =
  'chmod 600 owned dev/tty fifo set-uid; chmod 700 ping sticky; chmod 640 trusted noted'

/** Changes objects and leaves each of them what it is: what could not be put on the disk must come back. */
export const CHANGES = `
  chmod 600 owned dev/tty fifo; chmod 700 ping; chmod 4711 set-uid; chmod 2711 set-gid
  chmod 644 trusted; echo more >>noted; echo more >>user
  echo more >>traceroute
  own home/file 1 2 0x08011002; own group 492 218 0x08ec0310da01; own etc/passwd 0 3 0x08ffffffff0f1003
  setfattr -n user.note -v changed noted; setfattr -n user.new -v new home
  chmod 750 trusted-directory sticky
  chmod 600 unreadable; own unreadable 1 2 0x08011002; touch ${TIME} unreadable; chmod 0 unreadable
  touch -h ${TIME} acl link dev/random dev/tty fifo ping owned set-uid set-gid trusted noted user
  touch ${TIME} traceroute home/file group etc/passwd home trusted-directory sticky
  chmod 755 closed; echo new >closed/new; chmod 640 closed/new; touch ${TIME} closed/new closed; chmod 0 closed`

/** Takes objects away, and puts others into the places of some: nothing of the old ones may come back. */
export const REPLACEMENTS = `
  replace() { rm -r "$1"; }
  replace link; ln -s user link
  replace fifo; mkfifo -m 600 fifo
  replace dev/null; : >dev/null
  replace dev/disk; ln -s null dev/disk
  replace ping; echo other >ping
  replace trusted; echo trusted >trusted
  replace home; mkdir home; echo content >home/file; own home/file 1000 1000 0x08e80710e807
  replace group; replace hard; mv user moved; ln owned owned-too; mkdir new; ln -s ../owned new/link; mkfifo new/fifo
  replace dev/random; echo data >dev/random
  touch -h -d @1600000001 link fifo; touch -h ${TIME} dev/null dev/disk dev/random ping trusted home/file new/link new/fifo owned
  touch ${TIME} home new dev .`
