/** Whether a path is that of a directory or of something below it. Both are without links; only names are compared. */
export function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(`${directory}/`)
}
