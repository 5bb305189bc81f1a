/**
 * The numbers of the NBD protocol, by their names in its specification (doc/proto.md in the repository NetworkBlockDevice/nbd,
 * "Values"), without the prefix. All numbers are sent with the highest byte first.
 */

export const NBDMAGIC = 0x4e42444d41474943n
export const IHAVEOPT = 0x49484156454f5054n
export const OPTION_REPLY_MAGIC = 0x0003e889045565a9n
export const REQUEST_MAGIC = 0x25609513
export const SIMPLE_REPLY_MAGIC = 0x67446698
export const STRUCTURED_REPLY_MAGIC = 0x668e33ef

/** Handshake flags of the server, and the same as client flags. */
export const HANDSHAKE = { FIXED_NEWSTYLE: 1, NO_ZEROES: 2 } as const

/** Transmission flags. */
export const FLAG = {
  HAS_FLAGS: 0x1,
  READ_ONLY: 0x2,
  SEND_DF: 0x80,
  CAN_MULTI_CONN: 0x100,
  SEND_CACHE: 0x400
} as const

export const OPT = {
  EXPORT_NAME: 1,
  ABORT: 2,
  LIST: 3,
  STARTTLS: 5,
  INFO: 6,
  GO: 7,
  STRUCTURED_REPLY: 8,
  LIST_META_CONTEXT: 9,
  SET_META_CONTEXT: 10
} as const

export const REP = {
  ACK: 1,
  SERVER: 2,
  INFO: 3,
  META_CONTEXT: 4,
  ERR_UNSUP: 0x80000001,
  ERR_INVALID: 0x80000003,
  ERR_UNKNOWN: 0x80000006,
  ERR_SHUTDOWN: 0x80000007,
  ERR_TOO_BIG: 0x80000009
} as const

export const INFO = { EXPORT: 0, NAME: 1, BLOCK_SIZE: 3 } as const

export const CMD = {
  READ: 0,
  WRITE: 1,
  DISC: 2,
  TRIM: 4,
  CACHE: 5,
  WRITE_ZEROES: 6,
  BLOCK_STATUS: 7
} as const

export const CMD_FLAG = { DF: 0x4, REQ_ONE: 0x8 } as const

/** Types of the chunks of structured replies. */
export const CHUNK = {
  NONE: 0,
  OFFSET_DATA: 1,
  OFFSET_HOLE: 2,
  BLOCK_STATUS: 5,
  ERROR: 0x8001,
  ERROR_OFFSET: 0x8002
} as const

export const REPLY_FLAG_DONE = 1

/** The only context of metadata, and the number by which replies name it. */
export const CONTEXT = { NAME: 'base:allocation', ID: 1 } as const

/** Flags of an extent in this context. */
export const STATE = { HOLE: 1, ZERO: 2 } as const

/** Error values. */
export const ERROR = { EPERM: 1, EIO: 5, EINVAL: 22, EOVERFLOW: 75, ESHUTDOWN: 108 } as const

export type ErrorValue = (typeof ERROR)[keyof typeof ERROR]

/** Bytes of a string: names of exports, queries, messages. */
export const MAX_STRING = 4096

/** Constraints on requests, in bytes. What clients may send who do not ask for them is the same. */
export const BLOCK_SIZE = { minimum: 1, preferred: 4096, maximum: 0x2000000 } as const
