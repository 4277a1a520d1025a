/** A bad argument raises an error that names it, in every backend; nothing is read or written out of bounds. */
import { beforeEach, describe, expect, it } from "vitest";
import type {
  GatherScratch,
  KernelBackend,
  PackedQuery,
  PostingLists,
  Probes,
} from "../../src/kernels/backend.js";
import { referenceBackend } from "../../src/kernels/reference.js";
import { type BackendUnderTest, backendsUnderTest } from "./kernels/backends.js";
import { randomCase, standardShape } from "./kernels/cases.js";

const base = randomCase(standardShape);
const { query, codebook, quantizer, vectors, tokens, offsets } = base;
const lanes = query.lanes;
const table = new Float32Array(codebook.size * lanes);
const bytes = new Uint8Array(codebook.size * lanes);
const out = new Float32Array(codebook.size * lanes);
const codes = new Uint32Array(vectors.count);
const residuals = new Uint8Array(tokens.residuals.length);
const inverseNorms = new Uint16Array(vectors.count);
const ids = new Uint32Array(query.tokens * 3);
const scores = new Float32Array(query.tokens * 3);
const probes = { nprobe: 3, ids, scores };
/** One passage in the list of every centroid. */
const postings = {
  offsets: Uint32Array.from({ length: codebook.size + 1 }, (_, k) => k),
  bytes: new Uint8Array(codebook.size),
};
const PASSAGES = 5;
const scratch = { marks: new Uint8Array(PASSAGES), sums: new Float32Array(PASSAGES) };
const excluded = new Uint8Array(PASSAGES);
const reached = new Uint32Array(PASSAGES);
const sums = new Float32Array(PASSAGES);

/** A value of the wrong type, as JavaScript callers may pass it. */
function wrong<T>(value: unknown): T {
  return value as T;
}

function detached(): Float32Array {
  const array = new Float32Array(codebook.size * lanes);
  structuredClone(array.buffer, { transfer: [array.buffer] });
  return array;
}

function withOffset(at: number, value: number): Uint32Array {
  const changed = offsets.slice();
  changed[at] = value;
  return changed;
}

type Call = (kernels: KernelBackend) => void;

/** Text in the message, the error's class, the call. */
const bad: [string, typeof TypeError | typeof RangeError, Call][] = [
  ["query.tokens", RangeError, (k) => k.centroidScores({ ...query, tokens: 0 }, codebook, out, null)],
  ["query.tokens", RangeError, (k) => k.centroidScores({ ...query, tokens: 65 }, codebook, out, null)],
  ["query.tokens", RangeError, (k) => k.centroidScores({ ...query, tokens: -1 }, codebook, out, null)],
  [
    "query.tokens",
    RangeError,
    (k) => k.centroidScores({ ...query, tokens: 2 ** 32 + 32 }, codebook, out, null),
  ],
  ["query.tokens", RangeError, (k) => k.centroidScores({ ...query, tokens: 31.5 }, codebook, out, null)],
  [
    "query.tokens",
    RangeError,
    (k) => k.centroidScores({ ...query, tokens: Number.NaN }, codebook, out, null),
  ],
  [
    "query.tokens",
    TypeError,
    (k) => k.centroidScores({ ...query, tokens: wrong("32") }, codebook, out, null),
  ],
  [
    "query.tokens",
    TypeError,
    (k) => k.centroidScores({ ...query, tokens: wrong(undefined) }, codebook, out, null),
  ],
  ["query.lanes", RangeError, (k) => k.centroidScores({ ...query, lanes: 16 }, codebook, out, null)],
  ["query.lanes", RangeError, (k) => k.centroidScores({ ...query, lanes: 48 }, codebook, out, null)],
  ["dim", RangeError, (k) => k.centroidScores({ ...query, dim: 129 }, codebook, out, null)],
  ["dim", RangeError, (k) => k.centroidScores({ ...query, dim: 264 }, codebook, out, null)],
  ["dim", RangeError, (k) => k.centroidScores({ ...query, dim: 0 }, codebook, out, null)],
  ["query.values", RangeError, (k) => k.centroidScores({ ...query, dim: 64 }, codebook, out, null)],
  [
    "query.values",
    TypeError,
    (k) => k.centroidScores({ ...query, values: wrong(new Uint8Array(query.values)) }, codebook, out, null),
  ],
  [
    "query.values",
    RangeError,
    (k) => k.centroidScores({ ...query, values: query.values.subarray(1) }, codebook, out, null),
  ],
  ["query.scales", TypeError, (k) => k.centroidScores({ ...query, scales: wrong([1]) }, codebook, out, null)],
  [
    "query.scales",
    RangeError,
    (k) => k.centroidScores({ ...query, scales: new Float32Array(1) }, codebook, out, null),
  ],
  [
    "query.bias",
    RangeError,
    (k) => k.centroidScores({ ...query, bias: new Int32Array(31) }, codebook, out, null),
  ],
  ["codebook.size", RangeError, (k) => k.centroidScores(query, { ...codebook, size: 0 }, out, null)],
  ["codebook.values", RangeError, (k) => k.centroidScores(query, { ...codebook, size: 38 }, out, null)],
  [
    "codebook.values",
    RangeError,
    (k) => k.centroidScores(query, { ...codebook, size: 2 ** 31 - 1 }, out, null),
  ],
  ["codebook.dim", RangeError, (k) => k.centroidScores(query, { ...codebook, dim: 64 }, out, null)],
  [
    "codebook.values",
    TypeError,
    (k) => k.centroidScores(query, { ...codebook, values: wrong(new Int8Array(codebook.values)) }, out, null),
  ],
  [
    "codebook.scales",
    RangeError,
    (k) => k.centroidScores(query, { ...codebook, scales: new Float32Array(36) }, out, null),
  ],
  ["out", RangeError, (k) => k.centroidScores(query, codebook, out.subarray(1), null)],
  ["out", RangeError, (k) => k.centroidScores(query, codebook, detached(), null)],
  ["out", TypeError, (k) => k.centroidScores(query, codebook, wrong(new Float64Array(10_000)), null)],
  ["out", TypeError, (k) => k.centroidScores(query, codebook, wrong(undefined), null)],
  ["out", TypeError, (k) => k.centroidScores(query, codebook, wrong(new DataView(new ArrayBuffer(8))), null)],

  ["bytes", RangeError, (k) => k.centroidScores(query, codebook, out, bytes.subarray(1))],
  ["bytes", TypeError, (k) => k.centroidScores(query, codebook, out, wrong(new Uint8ClampedArray(10_000)))],
  ["bytes", TypeError, (k) => k.centroidScores(query, codebook, out, wrong(undefined))],

  ["nprobe", RangeError, (k) => k.topCentroids(table, codebook.size, query, 0, ids, scores)],
  ["nprobe", RangeError, (k) => k.topCentroids(table, codebook.size, query, 38, ids, scores)],
  ["nprobe", RangeError, (k) => k.topCentroids(table, codebook.size, query, 2 ** 31, ids, scores)],
  ["size", RangeError, (k) => k.topCentroids(table, 0, query, 3, ids, scores)],
  ["table", RangeError, (k) => k.topCentroids(table, codebook.size + 1, query, 3, ids, scores)],
  ["table", TypeError, (k) => k.topCentroids(wrong(null), codebook.size, query, 3, ids, scores)],
  ["query.lanes", RangeError, (k) => k.topCentroids(table, 37, { ...query, lanes: 48 }, 3, ids, scores)],
  ["ids", RangeError, (k) => k.topCentroids(table, codebook.size, query, 4, ids, scores)],
  ["scores", RangeError, (k) => k.topCentroids(table, codebook.size, query, 3, ids, scores.subarray(1))],

  ["bytes", RangeError, (k) => k.approximate(query, bytes.subarray(1), tokens.codes, offsets, null, out)],
  ["bytes", TypeError, (k) => k.approximate(query, wrong(table), tokens.codes, offsets, null, out)],
  ["bytes", RangeError, (k) => k.approximate(query, new Uint8Array(0), tokens.codes, offsets, null, out)],
  ["codes", TypeError, (k) => k.approximate(query, bytes, wrong(new Int32Array(9)), offsets, null, out)],
  ["codes", TypeError, (k) => k.approximate(query, bytes, wrong(null), offsets, null, out)],
  [
    "codes must be below",
    RangeError,
    (k) => k.approximate(query, bytes.subarray(0, lanes * 5), tokens.codes, offsets, null, out),
  ],
  [
    "codes must be below",
    RangeError,
    (k) => k.approximate(query, bytes, new Uint32Array(3).fill(0xffffffff), Uint32Array.of(0, 3), null, out),
  ],
  ["offsets", RangeError, (k) => k.approximate(query, bytes, tokens.codes, new Uint32Array(0), null, out)],
  ["offsets", RangeError, (k) => k.approximate(query, bytes, tokens.codes, withOffset(2, 0), null, out)],
  [
    "offsets",
    RangeError,
    (k) => k.approximate(query, bytes, tokens.codes, withOffset(offsets.length - 1, 10_000), null, out),
  ],
  [
    "offsets",
    RangeError,
    (k) => k.approximate(query, bytes, tokens.codes, withOffset(3, 0xffffffff), Uint32Array.of(3), out),
  ],
  ["offsets", TypeError, (k) => k.approximate(query, bytes, tokens.codes, wrong([0, 1]), null, out)],
  ["passages", TypeError, (k) => k.approximate(query, bytes, tokens.codes, offsets, wrong([0]), out)],
  ["passages", TypeError, (k) => k.approximate(query, bytes, tokens.codes, offsets, wrong(undefined), out)],
  [
    "passages must be below",
    RangeError,
    (k) => k.approximate(query, bytes, tokens.codes, offsets, Uint32Array.of(0, offsets.length - 1), out),
  ],
  [
    "passages must be below",
    RangeError,
    (k) => k.approximate(query, bytes, tokens.codes, offsets, Uint32Array.of(0xffffffff), out),
  ],
  ["out", RangeError, (k) => k.approximate(query, bytes, tokens.codes, offsets, null, out.subarray(0, 3))],

  ["query.scales", RangeError, (k) => gather(k, { query: { ...query, scales: new Float32Array(3) } })],
  ["query.tokens", RangeError, (k) => gather(k, { query: { ...query, tokens: 0 } })],
  ["probes.nprobe", RangeError, (k) => gather(k, { probes: { ...probes, nprobe: 0 } })],
  ["probes.nprobe", RangeError, (k) => gather(k, { probes: { ...probes, nprobe: 1.5 } })],
  ["probes.nprobe", TypeError, (k) => gather(k, { probes: { ...probes, nprobe: wrong("3") } })],
  ["probes.ids", RangeError, (k) => gather(k, { probes: { ...probes, nprobe: 2 } })],
  ["probes.ids", RangeError, (k) => gather(k, { probes: { ...probes, nprobe: 2 ** 31 - 1 } })],
  ["probes.ids", TypeError, (k) => gather(k, { probes: { ...probes, ids: wrong(new Int32Array(96)) } })],
  ["probes.scores", RangeError, (k) => gather(k, { probes: { ...probes, scores: scores.subarray(1) } })],
  [
    "probes.ids must be below 37, found 37",
    RangeError,
    (k) => gather(k, { probes: { ...probes, ids: ids.slice().fill(codebook.size, 95) } }),
  ],
  ["postings.offsets", TypeError, (k) => gather(k, { postings: { ...postings, offsets: wrong([0, 1]) } })],
  [
    "postings.offsets",
    RangeError,
    (k) => gather(k, { postings: { ...postings, offsets: new Uint32Array(1) } }),
  ],
  ["postings.bytes", TypeError, (k) => gather(k, { postings: { ...postings, bytes: wrong(ids) } })],
  [
    "malformed list of centroid 0",
    RangeError,
    (k) => gather(k, { postings: { ...postings, bytes: postings.bytes.slice().fill(0x80) } }),
  ],
  [
    "malformed list of centroid 0",
    RangeError,
    (k) => gather(k, { postings: { ...postings, bytes: postings.bytes.slice().fill(PASSAGES) } }),
  ],
  [
    "malformed list of centroid 0",
    RangeError,
    (k) => gather(k, { postings: { ...postings, bytes: new Uint8Array(0) } }),
  ],
  ["excluded", RangeError, (k) => gather(k, { excluded: excluded.subarray(1) })],
  ["excluded", TypeError, (k) => gather(k, { excluded: wrong(undefined) })],
  ["scratch.marks", TypeError, (k) => gather(k, { scratch: { ...scratch, marks: wrong(sums) } })],
  ["scratch.sums", RangeError, (k) => gather(k, { scratch: { ...scratch, sums: sums.subarray(1) } })],
  ["scratch.sums", TypeError, (k) => gather(k, { scratch: { ...scratch, sums: wrong(reached) } })],
  ["passages", RangeError, (k) => gather(k, { passages: reached.subarray(1) })],
  ["passages", TypeError, (k) => gather(k, { passages: wrong(new Int32Array(PASSAGES)) })],
  ["sums", RangeError, (k) => gather(k, { sums: sums.subarray(0, 4) })],
  ["sums", TypeError, (k) => gather(k, { sums: wrong(new Float64Array(PASSAGES)) })],

  ["scores", TypeError, (k) => k.selectTop(wrong(new Float64Array(3)), 2, reached)],
  ["limit", RangeError, (k) => k.selectTop(sums, -1, reached)],
  ["limit", RangeError, (k) => k.selectTop(sums, 1.5, reached)],
  ["limit", RangeError, (k) => k.selectTop(sums, 2 ** 31, reached)],
  ["limit", TypeError, (k) => k.selectTop(sums, wrong("2"), reached)],
  ["out", RangeError, (k) => k.selectTop(sums, 3, reached.subarray(0, 2))],
  ["out", RangeError, (k) => k.selectTop(sums, 99, reached.subarray(1))],
  ["out", TypeError, (k) => k.selectTop(sums, 3, wrong(sums))],

  [
    "quantizer.nbits",
    RangeError,
    (k) => k.maxsim(query, { ...quantizer, nbits: wrong(3) }, table, tokens, offsets, null, out),
  ],
  [
    "quantizer.nbits",
    RangeError,
    (k) => k.maxsim(query, { ...quantizer, nbits: wrong(8) }, table, tokens, offsets, null, out),
  ],
  [
    "quantizer.weights",
    RangeError,
    (k) => k.maxsim(query, { ...quantizer, weights: new Uint8Array(16) }, table, tokens, offsets, null, out),
  ],
  [
    "quantizer.weights",
    RangeError,
    (k) =>
      k.maxsim(
        query,
        { ...quantizer, weights: new Uint8Array(16).fill(128) },
        table,
        tokens,
        offsets,
        null,
        out,
      ),
  ],
  [
    "quantizer.weights",
    RangeError,
    (k) =>
      k.maxsim(
        query,
        { ...quantizer, weights: new Uint8Array(4).fill(64) },
        table,
        tokens,
        offsets,
        null,
        out,
      ),
  ],
  [
    "quantizer.weightScale",
    TypeError,
    (k) => k.maxsim(query, { ...quantizer, weightScale: wrong("1") }, table, tokens, offsets, null, out),
  ],
  [
    "tokens.residuals",
    RangeError,
    (k) =>
      k.maxsim(
        query,
        quantizer,
        table,
        { ...tokens, residuals: tokens.residuals.subarray(1) },
        offsets,
        null,
        out,
      ),
  ],
  [
    "tokens.inverseNorms",
    RangeError,
    (k) =>
      k.maxsim(query, quantizer, table, { ...tokens, inverseNorms: new Uint16Array(1) }, offsets, null, out),
  ],
  [
    "tokens.inverseNorms",
    TypeError,
    (k) =>
      k.maxsim(
        query,
        quantizer,
        table,
        { ...tokens, inverseNorms: wrong(new Int16Array(tokens.codes.length)) },
        offsets,
        null,
        out,
      ),
  ],
  [
    "codes must be below",
    RangeError,
    (k) => k.maxsim(query, quantizer, table.subarray(0, lanes), tokens, offsets, null, out),
  ],
  ["offsets", RangeError, (k) => k.maxsim(query, quantizer, table, tokens, withOffset(1, 99_999), null, out)],
  [
    "passages must be below",
    RangeError,
    (k) => k.maxsim(query, quantizer, table, tokens, offsets, Uint32Array.of(1, 2, 7), out),
  ],

  ["vectors.count", RangeError, (k) => k.assign({ ...vectors, count: -1 }, codebook, null, codes)],
  ["vectors.values", RangeError, (k) => k.assign({ ...vectors, count: 2 ** 31 - 1 }, codebook, null, codes)],
  [
    "vectors.values",
    TypeError,
    (k) => k.assign({ ...vectors, values: wrong(new Float32Array(9)) }, codebook, null, codes),
  ],
  [
    "vectors.scales",
    RangeError,
    (k) => k.assign({ ...vectors, scales: new Float32Array(1) }, codebook, null, codes),
  ],
  ["codes", RangeError, (k) => k.assign(vectors, codebook, null, codes.subarray(1))],
  ["ranges", RangeError, (k) => k.assign(vectors, codebook, new Uint32Array(2), codes)],
  ["ranges", TypeError, (k) => k.assign(vectors, codebook, wrong([0, 1]), codes)],
  ["ranges", RangeError, (k) => k.assign(vectors, codebook, new Uint32Array(2 * vectors.count), codes)],
  [
    "ranges",
    RangeError,
    (k) =>
      k.assign(
        vectors,
        codebook,
        new Uint32Array(2 * vectors.count).fill(codebook.size + 1).fill(0, 0, 1),
        codes,
      ),
  ],

  [
    "codes must be below",
    RangeError,
    (k) =>
      k.compress(
        vectors,
        codebook,
        quantizer,
        new Uint32Array(vectors.count).fill(codebook.size),
        residuals,
        inverseNorms,
      ),
  ],
  [
    "quantizer.cutoffs",
    RangeError,
    (k) =>
      k.compress(
        vectors,
        codebook,
        { ...quantizer, cutoffs: new Float32Array(3) },
        codes,
        residuals,
        inverseNorms,
      ),
  ],
  [
    "residuals",
    RangeError,
    (k) => k.compress(vectors, codebook, quantizer, codes, residuals.subarray(0, 9), inverseNorms),
  ],
  [
    "inverseNorms",
    RangeError,
    (k) => k.compress(vectors, codebook, quantizer, codes, residuals, new Uint16Array(1)),
  ],
];

interface GatherCall {
  readonly query: PackedQuery;
  readonly probes: Probes;
  readonly postings: PostingLists;
  readonly excluded: Uint8Array | null;
  readonly scratch: GatherScratch;
  readonly passages: Uint32Array;
  readonly sums: Float32Array;
}

/** A good call but for what is given. */
function gather(kernels: KernelBackend, given: Partial<GatherCall>): number {
  const good: GatherCall = { query, probes, postings, excluded, scratch, passages: reached, sums };
  const call = { ...good, ...given };
  return kernels.gather(
    call.query,
    call.probes,
    call.postings,
    call.excluded,
    call.scratch,
    call.passages,
    call.sums,
  );
}

function suite({ name, backend, reason, activate }: BackendUnderTest): void {
  const title = reason === undefined ? name : `${name} (skipped: ${reason})`;
  describe.skipIf(backend === undefined)(title, () => {
    beforeEach(activate);
    const kernels = backend ?? referenceBackend;

    it.each(bad.map(([text, type, call], i) => ({ i, text, type, call })))(
      "refuses bad arguments, $i: $text",
      ({ text, type, call }) => {
        let thrown: unknown;
        try {
          call(kernels);
        } catch (error) {
          thrown = error;
        }
        expect(thrown).toBeInstanceOf(type);
        expect(thrown).toHaveProperty("message", expect.stringContaining(text));
      },
    );

    it("still works after all of that", () => {
      kernels.centroidScores(query, codebook, out, null);
      kernels.approximate(query, bytes, tokens.codes, offsets, null, out);
      kernels.maxsim(query, quantizer, table, tokens, offsets, null, out);
      // A call that threw leaves marks behind.
      expect(gather(kernels, { scratch: { ...scratch, marks: new Uint8Array(PASSAGES) } })).toBe(1);
      expect(kernels.selectTop(sums, 2, reached)).toBe(2);
    });
  });
}

for (const backend of backendsUnderTest()) suite(backend);
