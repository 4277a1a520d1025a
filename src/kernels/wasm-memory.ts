/**
 * The linear memory of the WASM kernels, and how a call lays out its data in it: `begin`, one `take` for each array,
 * then `fits`, which makes room. The next call begins anew, so nothing is ever freed and nothing stays.
 *
 * Room is made by an instance with a larger memory, not by growing the one there is: growing detaches a buffer, and
 * once that has happened V8 checks every access to every typed array of the thread (plain TypeScript kernels took 35 %
 * longer). The memory is as large as the largest call needed, to the next power of two, and never shrinks.
 */
import { compileKernels, type WasmIsa, type WasmKernels } from "./wasm-exports.js";

const PAGE_BYTES = 65_536;
/** What the kernels' own scratch and small calls need. */
const INITIAL_PAGES = 4;
/** 256 MiB a thread: the score table of a million centroids for 64 query tokens. */
const MAX_PAGES = 4096;
/** Arrays start at multiples of this many bytes. */
const ALIGNMENT = 64;
/** Bytes beyond the end of an array that kernels may read or write. */
const SLACK = 64;

export class WasmMemory {
  readonly isa: WasmIsa;
  /** `fits` may replace the kernels and the views. */
  kernels: WasmKernels;
  /** The whole memory in elements of each type. */
  views: Views;
  private readonly instantiate: ReturnType<typeof compileKernels>;
  private maxPages: number;
  private pages = INITIAL_PAGES;
  private end = 0;

  /**
   * `isa`: module to be compiled. `maxPages`: pages of 64 KiB that the memory may have, 4 to 4096.
   * @throws Error of any kind where WebAssembly, its SIMD instructions or the address space are missing.
   */
  constructor(isa: WasmIsa, maxPages = MAX_PAGES) {
    this.isa = isa;
    this.maxPages = maxPages;
    this.instantiate = compileKernels(isa);
    const { kernels, buffer } = this.instantiate(INITIAL_PAGES);
    this.kernels = kernels;
    this.views = new Views(buffer);
  }

  /** Forgets what was taken. */
  begin(): void {
    this.end = this.kernels.staging.value;
  }

  /** Address of so many bytes. They are there, with garbage in them, once `fits` was true. */
  take(bytes: number): number {
    const address = this.end;
    this.end = Math.ceil((address + bytes + SLACK) / ALIGNMENT) * ALIGNMENT;
    return address;
  }

  /** Makes room for what was taken since `begin`; false when that is more than the memory may have or can get. */
  fits(): boolean {
    const needed = Math.ceil(this.end / PAGE_BYTES);
    if (needed <= this.pages) return true;
    if (needed > this.maxPages) return false;
    const pages = Math.min(this.maxPages, 2 ** Math.ceil(Math.log2(needed)));
    try {
      const { kernels, buffer } = this.instantiate(pages);
      this.kernels = kernels;
      this.views = new Views(buffer);
      this.pages = pages;
      return true;
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      // The address space is full: asking again at every call would only cost time.
      this.maxPages = this.pages;
      return false;
    }
  }
}

/** An array of 4-byte elements starts at its address / 4 of its view. */
class Views {
  readonly i8: Int8Array;
  readonly u8: Uint8Array;
  readonly u16: Uint16Array;
  readonly u32: Uint32Array;
  readonly f32: Float32Array;

  constructor(buffer: ArrayBuffer) {
    this.i8 = new Int8Array(buffer);
    this.u8 = new Uint8Array(buffer);
    this.u16 = new Uint16Array(buffer);
    this.u32 = new Uint32Array(buffer);
    this.f32 = new Float32Array(buffer);
  }
}
