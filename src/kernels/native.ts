/** The native backend: finds the addon, loads it, proves it on a small query, and adapts its flat functions. */
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import type { KernelBackend } from "./backend.js";
import { selfCheck } from "./self-check.js";

/**
 * What the addon exports. Arguments are flat, because reading the properties of an object through Node-API costs
 * more than a small kernel call; each is checked in C++ and named in the TypeError or RangeError that a bad one
 * raises. Arrays may be backed by a SharedArrayBuffer.
 */
export interface KernelAddon {
  /** Names of the instruction sets that this build has and this processor runs, best first. */
  isas(): string[];
  /** The one in use. */
  isa(): string;
  /** Uses this one from now on, in every thread of the process; null goes back to the best. */
  forceIsa(name: string | null): void;

  centroidScores(...call: [...Query, ...Centroids, out: Float32Array, bytes: Uint8Array | null]): void;
  topCentroids(
    ...call: [
      table: Float32Array,
      size: number,
      tokens: number,
      lanes: number,
      nprobe: number,
      ids: Uint32Array,
      scores: Float32Array,
    ]
  ): void;
  gather(
    ...call: [
      tokens: number,
      scales: Float32Array,
      nprobe: number,
      ids: Uint32Array,
      scores: Float32Array,
      offsets: Uint32Array,
      bytes: Uint8Array,
      excluded: Uint8Array | null,
      marks: Uint8Array,
      dense: Float32Array,
      passages: Uint32Array,
      sums: Float32Array,
    ]
  ): number;
  selectTop(scores: Float32Array, limit: number, out: Uint32Array): number;
  approximate(
    ...call: [lanes: number, bytes: Uint8Array, codes: Codes, ...Passages, out: Float32Array]
  ): void;
  maxsim(
    ...call: [
      ...Query,
      nbits: number,
      weights: Uint8Array,
      weightScale: number,
      table: Float32Array,
      codes: Codes,
      residuals: Uint8Array,
      inverseNorms: Uint16Array,
      ...Passages,
      out: Float32Array,
    ]
  ): void;
  assign(...call: [...Vectors, ...Centroids, ranges: Uint32Array | null, codes: Uint32Array]): void;
  compress(
    ...call: [
      ...Vectors,
      ...Centroids,
      nbits: number,
      cutoffs: Float32Array,
      weights: Uint8Array,
      weightScale: number,
      codes: Uint32Array,
      residuals: Uint8Array,
      inverseNorms: Uint16Array,
    ]
  ): void;
}

type Codes = Uint16Array | Uint32Array;
type Query = [
  tokens: number,
  lanes: number,
  dim: number,
  values: Int8Array,
  scales: Float32Array,
  bias: Int32Array,
];
type Centroids = [size: number, centroidDim: number, centroids: Uint8Array, centroidScales: Float32Array];
type Vectors = [count: number, dim: number, vectors: Int8Array, vectorScales: Float32Array];
type Passages = [offsets: Uint32Array, passages: Uint32Array | null];

const packageRoot = new URL("../../", import.meta.url);

/** Files in which an addon for this platform may lie, best first. A generator: telling musl from glibc takes 20 ms. */
export function* addonCandidates(): Generator<string> {
  yield fileURLToPath(new URL("native-bindings/build/Release/maxsim.node", packageRoot));
  const libc = process.platform === "linux" && isMusl() ? "-musl" : "";
  const target = `${process.platform}-${process.arch}${libc}`;
  yield fileURLToPath(new URL(`native-bindings/prebuilds/${target}/maxsim.node`, packageRoot));
}

/** True on a C library that does not say that it is glibc. */
function isMusl(): boolean {
  const report: unknown = process.report.getReport();
  if (typeof report !== "object" || report === null || !("header" in report)) return false;
  const { header } = report;
  return typeof header === "object" && header !== null && !("glibcVersionRuntime" in header);
}

/**
 * Loads the addon at `path` and compares it with the plain TypeScript backend on a small query.
 * @throws Error of any kind when it does not load, lacks the wanted instruction set or computes something else.
 */
export function loadNative(path: string, isa: string | undefined): KernelBackend {
  const addon: KernelAddon = createRequire(import.meta.url)(path);
  addon.forceIsa(isa ?? null);
  const backend = nativeBackend(addon);
  selfCheck(backend);
  return backend;
}

/** The addon as a `KernelBackend`. */
export function nativeBackend(addon: KernelAddon): KernelBackend {
  return {
    name: "native",
    get isa() {
      return addon.isa();
    },
    centroidScores(query, codebook, out, bytes) {
      const { tokens, lanes, dim, values, scales, bias } = query;
      addon.centroidScores(
        tokens,
        lanes,
        dim,
        values,
        scales,
        bias,
        codebook.size,
        codebook.dim,
        codebook.values,
        codebook.scales,
        out,
        bytes,
      );
    },
    topCentroids(table, size, query, nprobe, ids, scores) {
      addon.topCentroids(table, size, query.tokens, query.lanes, nprobe, ids, scores);
    },
    gather(query, probes, postings, excluded, scratch, passages, sums) {
      return addon.gather(
        query.tokens,
        query.scales,
        probes.nprobe,
        probes.ids,
        probes.scores,
        postings.offsets,
        postings.bytes,
        excluded,
        scratch.marks,
        scratch.sums,
        passages,
        sums,
      );
    },
    selectTop(scores, limit, out) {
      return addon.selectTop(scores, limit, out);
    },
    approximate(query, bytes, codes, offsets, passages, out) {
      addon.approximate(query.lanes, bytes, codes, offsets, passages, out);
    },
    maxsim(query, quantizer, table, compressed, offsets, passages, out) {
      const { tokens, lanes, dim, values, scales, bias } = query;
      addon.maxsim(
        tokens,
        lanes,
        dim,
        values,
        scales,
        bias,
        quantizer.nbits,
        quantizer.weights,
        quantizer.weightScale,
        table,
        compressed.codes,
        compressed.residuals,
        compressed.inverseNorms,
        offsets,
        passages,
        out,
      );
    },
    assign(vectors, codebook, ranges, codes) {
      addon.assign(
        vectors.count,
        vectors.dim,
        vectors.values,
        vectors.scales,
        codebook.size,
        codebook.dim,
        codebook.values,
        codebook.scales,
        ranges,
        codes,
      );
    },
    compress(vectors, codebook, quantizer, codes, residuals, inverseNorms) {
      addon.compress(
        vectors.count,
        vectors.dim,
        vectors.values,
        vectors.scales,
        codebook.size,
        codebook.dim,
        codebook.values,
        codebook.scales,
        quantizer.nbits,
        quantizer.cutoffs,
        quantizer.weights,
        quantizer.weightScale,
        codes,
        residuals,
        inverseNorms,
      );
    },
  };
}
