/**
 * Read-only file mappings through the native addon: one copy of a file in the page cache, for all threads and
 * processes. Storage states the interface (`FileMapper`); this is the one implementation, and it opens nothing itself.
 */
import { createRequire } from "node:module";
import { markAsUntransferable } from "node:worker_threads";
import { ioError, MaxsimError } from "../common/errors.js";
import type { KernelInfo } from "./backend.js";

/** The part of the addon that maps files. Bad arguments throw; failures of the system carry a `code` such as ENOENT. */
export interface MappingAddon {
  /**
   * Maps a regular file of exactly `length` bytes, 1 to 2^32. The buffer is read-only memory: writing to it ends the
   * process. Null where the platform cannot map files or not hand out the memory.
   */
  mapFile(path: string, length: number): [id: number, buffer: ArrayBuffer] | null;
  /** Another buffer, for the calling thread, over the mapping `id`; EBADF once all its buffers are closed. */
  attachMapping(id: number): [id: number, buffer: ArrayBuffer] | null;
  /** Bytes that the file has now. EBADF after `unmapFile`. */
  mappingLength(buffer: ArrayBuffer): number;
  /** Detaches the buffer, whose length is 0 from then on; a second call does nothing. */
  unmapFile(buffer: ArrayBuffer): void;
}

/** One thread's hold on a mapped file. Dropping it without `close` lets go of it at some later time. */
class AddonMapping {
  constructor(
    private readonly addon: MappingAddon,
    private readonly path: string,
    readonly id: number,
    readonly buffer: ArrayBuffer,
  ) {
    // Transferring would take the memory from all views of it; posting copies it.
    markAsUntransferable(buffer);
  }

  currentLength(): number {
    try {
      return this.addon.mappingLength(this.buffer);
    } catch (error) {
      throw mappingError("look at", this.path, error);
    }
  }

  close(): void {
    this.addon.unmapFile(this.buffer);
  }
}

/** Maps files with an addon that was loaded already. */
export class AddonFileMapper {
  constructor(private readonly addon: MappingAddon) {}

  /** Undefined where files cannot be mapped. Errors: IO, CLOSED. */
  map(path: string, length: number): AddonMapping | undefined {
    return this.hold(path, () => this.addon.mapFile(path, length));
  }

  /** The mapping `id` that another thread holds, for this one. Errors: CLOSED when nobody holds it any more. */
  attach(path: string, id: number): AddonMapping | undefined {
    return this.hold(path, () => this.addon.attachMapping(id));
  }

  private hold(path: string, call: () => [number, ArrayBuffer] | null): AddonMapping | undefined {
    let made: [number, ArrayBuffer] | null;
    try {
      made = call();
    } catch (error) {
      throw mappingError("map", path, error);
    }
    return made === null ? undefined : new AddonMapping(this.addon, path, ...made);
  }
}

function mappingError(action: string, path: string, error: unknown): MaxsimError {
  if (error instanceof Error && "code" in error && error.code === "EBADF") {
    return new MaxsimError("CLOSED", `${path} is closed`, { cause: error });
  }
  return ioError(action, path, error);
}

/** The mapper that comes with the selected kernels; undefined for backends without an addon, or with an older one. */
export function fileMapperOf(kernels: Pick<KernelInfo, "path">): AddonFileMapper | undefined {
  if (kernels.path === undefined) return undefined;
  const addon: unknown = createRequire(import.meta.url)(kernels.path);
  return isMappingAddon(addon) ? new AddonFileMapper(addon) : undefined;
}

function isMappingAddon(addon: unknown): addon is MappingAddon {
  return (
    typeof addon === "object" &&
    addon !== null &&
    ["mapFile", "attachMapping", "mappingLength", "unmapFile"].every(
      (name) => name in addon && typeof Reflect.get(addon, name) === "function",
    )
  );
}
