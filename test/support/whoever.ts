/** What those add to an unpack who are not root, for tests that do not ask who runs them. */
/** The root of a user namespace needs nothing either. */
const isRoot = process.geteuid?.() === 0

export const unpackFlags: readonly string[] = isRoot ? [] : ['--rootless']

export const unpackOptions: { rootless?: boolean } = isRoot ? {} : { rootless: true }
