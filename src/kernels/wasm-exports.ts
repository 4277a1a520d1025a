/** What the WASM kernels (native-bindings/wasm) export, and the part of WebAssembly that loads them. */
import { WASM_RELAXED_SIMD, WASM_SIMD128 } from "./wasm-module.js";

/** Arguments are addresses in linear memory and counts, but for `weightScale`, which is rounded to float32. */
export interface WasmKernels {
  /** First byte of linear memory that the kernels leave to the caller. */
  readonly staging: { readonly value: number };

  /** Takes the query of the following `scores` and `maxsim`: s8 `[dim / 4][lanes][4]`. */
  putQuery(values: number, lanes: number, dim: number): void;
  /** `values` has room for one row more; `bytes` is 0 when no bytes are wanted. */
  scores(
    ...call: [
      values: number,
      scales: number,
      count: number,
      lanes: number,
      dim: number,
      out: number,
      queryScales: number,
      bytes: number,
    ]
  ): void;
  /** Lets a block of centroids compete; blocks ascend from 0, `sortTop` comes last. */
  top(
    ...call: [
      table: number,
      first: number,
      count: number,
      lanes: number,
      tokens: number,
      nprobe: number,
      ids: number,
      scores: number,
    ]
  ): void;
  sortTop(tokens: number, nprobe: number, ids: number, scores: number): void;

  /** Returns how many passages are reached then, or MALFORMED_LIST. `marks` start out as 0; `excluded` is 0 for none. */
  gatherList(
    ...call: [
      at: number,
      end: number,
      token: number,
      gain: number,
      marks: number,
      dense: number,
      passages: number,
      reached: number,
      limit: number,
      excluded: number,
    ]
  ): number;
  gatherSums(passages: number, count: number, dense: number, sums: number): void;
  /** 0 < limit <= count; `scores` has room for four more and is overwritten. */
  selectTop(scores: number, count: number, limit: number, out: number): void;

  /** Codes u16 to u32, both with room for eight more. */
  widenCodes(narrow: number, count: number, codes: number): void;
  /** Of codes u32 with room for four more; as a signed number. */
  highestCode(codes: number, count: number): number;
  approximate(...call: [...Passages, table: number, lanes: number, out: number]): void;
  maxsim(
    ...call: [
      ...Passages,
      planes: number,
      norms: number,
      table: number,
      lanes: number,
      tokens: number,
      dim: number,
      nbits: number,
      weights: number,
      weightScale: number,
      scales: number,
      out: number,
    ]
  ): void;

  /** Takes vectors; `tiles`, `best` and `codes` have room for a multiple of 16 of them. */
  beginAssign(values: number, count: number, dim: number, tiles: number, best: number, codes: number): void;
  /** Lets a block of centroids compete for the vectors of `beginAssign`; blocks ascend. `values` as in `scores`. */
  assign(
    ...call: [
      tiles: number,
      vectors: number,
      best: number,
      codes: number,
      values: number,
      scales: number,
      firstId: number,
      count: number,
      dim: number,
    ]
  ): void;
  beginAssignInRange(vector: number, dim: number, firstId: number): void;
  /** Lets a block of centroids compete for the vector of `beginAssignInRange`; returns the best so far. */
  assignInRange(values: number, scales: number, firstId: number, count: number, dim: number): number;

  /** Each vector comes with the row and the scale of its centroid; `planes` has room for 16 bytes more. */
  compress(
    ...call: [
      count: number,
      dim: number,
      vectors: number,
      scales: number,
      centroids: number,
      centroidScales: number,
      nbits: number,
      cutoffs: number,
      weights: number,
      weightScale: number,
      planes: number,
      norms: number,
    ]
  ): void;
}

/** What `gatherList` returns for a malformed list: all bits set, and WebAssembly's i32 is signed in JavaScript. */
export const MALFORMED_LIST = -1;

type Passages = [count: number, offsets: number, codes: number];

/** Linear memory, in pages of 64 KiB. */
interface LinearMemory {
  readonly buffer: ArrayBuffer;
}

/** Only lib.dom declares this, with everything else that Node.js does not have. */
declare const WebAssembly: {
  validate(bytes: Uint8Array): boolean;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Memory: new (pages: { initial: number; maximum: number }) => LinearMemory;
  readonly Instance: new (
    module: object,
    imports: { env: { memory: LinearMemory } },
  ) => { readonly exports: WasmKernels };
};

/** The modules, best first: with the dot products of relaxed SIMD, and with SIMD128 alone. */
export const WASM_ISAS = ["relaxedsimd", "simd128"] as const;
export type WasmIsa = (typeof WASM_ISAS)[number];

const MODULES: Readonly<Record<WasmIsa, string>> = {
  relaxedsimd: WASM_RELAXED_SIMD,
  simd128: WASM_SIMD128,
};

/**
 * Whether this runtime has the instructions of a module.
 * @throws ReferenceError where there is no WebAssembly at all.
 */
export function takesModule(isa: WasmIsa): boolean {
  return WebAssembly.validate(Buffer.from(MODULES[isa], "base64"));
}

/**
 * Compiles the kernels; the function that is returned makes instances with `pages` pages of linear memory, at least 4
 * and at most 4096, and costs next to nothing.
 * @throws Error of any kind, as the returned function does, where WebAssembly, the SIMD instructions or the address
 * space are missing.
 */
export function compileKernels(
  isa: WasmIsa,
): (pages: number) => { kernels: WasmKernels; buffer: ArrayBuffer } {
  const module = new WebAssembly.Module(Buffer.from(MODULES[isa], "base64"));
  return (pages) => {
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const { exports: kernels } = new WebAssembly.Instance(module, { env: { memory } });
    return { kernels, buffer: memory.buffer };
  };
}
