/** For locks that nobody else holds: a test that would wait fails. */
export const noPause = (): Promise<void> => Promise.reject(new Error('nobody else holds the lock'))
