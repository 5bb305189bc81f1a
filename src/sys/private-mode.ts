/** Only the owner may enter a directory with this mode. */
export const PRIVATE_MODE = 0o700
