/** What storage needs to map files instead of reading them. Kernels have the code; the engine hands it down. */

/** One thread's hold on a mapped file. The memory must not be written to: that ends the process. */
export interface MappedFile {
  /** Names the mapping in every thread of this process. */
  readonly id: number;
  /** The whole file. Posting it to another thread would copy it: hand over `id`. Empty after `close`. */
  readonly buffer: ArrayBuffer;
  /** Bytes that the file has now. Reading mapped memory that the file no longer has ends the process. */
  currentLength(): number;
  /**
   * Lets go of the memory at once. Without a call that happens when the buffer is collected, or its thread ends. The mapping
   * goes with its last holder.
   */
  close(): void;
}

/** Errors: IO naming the path; CLOSED for a mapping that nobody holds any more. */
export interface FileMapper {
  /** Maps a regular file of exactly `length` bytes; undefined where the platform cannot. */
  map(path: string, length: number): MappedFile | undefined;
  /** For this thread, the mapping that another one holds; `path` is for messages. */
  attach(path: string, id: number): MappedFile | undefined;
}
