/** Where an image is: the name of the transport, and an absolute path, or the repository of a registry (`//HOST/NAME`). */
export interface ImagePlace {
  readonly transport: string
  readonly path: string
}
