/**
 * From staged passages to published files: sample and train a codec when the index has none, then encode every
 * passage in order, compress it and write segments. Nothing here is visible to readers; the commit is the caller's.
 *
 * Memory stays bounded whatever the corpus: the sample is capped (codec/sample.ts), passages are read from staging in
 * batches, and a segment keeps only a few bytes a token.
 */

import type { Codec } from "../codec/codec.js";
import { writeCodecFile } from "../codec/codec-file.js";
import { CoverageCollector } from "../codec/coverage-collector.js";
import { centroidBudget, holdOut, samplePassages } from "../codec/sample.js";
import { trainCodec } from "../codec/train.js";
import { throwIfAborted } from "../common/abort.js";
import type { ProgressListener } from "../common/progress.js";
import { Random } from "../common/random.js";
import type { CodecRecord, SegmentRecord } from "../documents/records.js";
import type { StagedPassage } from "../documents/staging.js";
import type { KernelBackend, QuantizedVectors } from "../kernels/backend.js";
import { compressPassages, joinAlike } from "./compress-passages.js";
import type { PassageVectors } from "./passage-vectors.js";
import { MAX_SEGMENT_TOKENS, SegmentWriter } from "./segment-writer.js";

/**
 * Where the vectors of staged passages come from: an encoder, or what the user handed over. Passages are asked for more
 * than once: the second time costs no more than reading them from a file.
 */
export interface VectorSource {
  readonly dim: number;
  /** Expected vectors of a passage, to size the sample before anything is encoded. */
  readonly tokensPerPassage: number;
  vectors(passages: readonly StagedPassage[], signal: AbortSignal | undefined): Promise<PassageVectors[]>;
}

/** The passages of a build, by ascending number: those of a staging, or some that the index holds. */
export interface PassageQueue {
  /** Number that reading begins with. */
  readonly firstPassage: number;
  /** How many there are. */
  readonly passages: number;
  /** Up to `limit` passages with numbers of at least `from`, ascending. */
  readPassages(from: number, limit: number): StagedPassage[];
  /** Number of the passage at a place (from 0) in the order of all. */
  passageAt(ordinal: number): number;
  /** Takes note of how many token vectors passages have. */
  setTokens(rows: readonly { readonly passageNo: number; readonly tokens: number }[]): void;
}

export interface BuildInput {
  readonly folder: string;
  readonly indexId: string;
  readonly queue: PassageQueue;
  readonly source: VectorSource;
  readonly kernels: KernelBackend;
  /** The codec of the index and its record, or null to train one. */
  readonly codec: { readonly codec: Codec; readonly record: CodecRecord } | null;
  /** Token vectors that the index holds already. */
  readonly indexTokens: number;
  readonly nbits: 1 | 2 | 4;
  readonly seed: number;
  /** Numbers for the rows of this build. */
  readonly nextSegment: number;
  readonly nextCodec: number;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ProgressListener | undefined;
}

export interface BuildOutput {
  /** Set when a codec was trained or extended; null when there was not a single token vector to train one on. */
  readonly codec: CodecRecord | null;
  readonly segments: readonly SegmentRecord[];
  readonly tokens: number;
  /** Passages without a single token vector. */
  readonly emptyPassages: number;
}

/** Passages handed to the source at once: enough for every worker, small against the memory budget. */
const BATCH_PASSAGES = 128;

export async function buildSegments(input: BuildInput): Promise<BuildOutput> {
  if (input.codec !== null) return encodeAll(input, await codecFor(input, input.codec));
  const { passages } = input.queue;
  const wanted = samplePassages(passages, input.source.tokensPerPassage);
  const built = await buildFromSample(input, new Random(input.seed).sample(wanted, passages));
  if (built !== null) return built;
  // Not a single token vector in the sample: look at every passage before giving up on a codec.
  const all =
    wanted < passages
      ? await buildFromSample(
          input,
          Uint32Array.from({ length: passages }, (_, i) => i),
        )
      : null;
  return all ?? { codec: null, segments: [], tokens: 0, emptyPassages: passages };
}

/**
 * The codec of the index, or an extension of it when the new passages have much that it does not cover. All passages are
 * encoded for that; compression then takes their vectors from the source a second time.
 */
async function codecFor(
  input: BuildInput,
  { codec, record }: { readonly codec: Codec; readonly record: CodecRecord },
): Promise<ChosenCodec> {
  const collector = new CoverageCollector(codec, { seed: input.seed }, input.kernels);
  let done = 0;
  for await (const { vectors } of encodeBatches(input, readBatches(input, null))) {
    for (const { joined, tokenIds } of joinAlike(vectors, codec.dim)) collector.add(joined, tokenIds);
    done += vectors.length;
    const tokens = collector.seen;
    input.onProgress?.({ stage: "encode", done, total: input.queue.passages, unit: "passages", tokens });
  }
  const extended = collector.extend(input.indexTokens + collector.seen);
  if (extended === null) return { codec, codecNo: record.codecNo, added: null };
  const file = await writeCodecFile(input.folder, input.indexId, extended);
  const codecNo = input.nextCodec;
  const added = { codecNo, baseCodecNo: record.codecNo, file, centroids: extended.codebook.size };
  return { codec: extended, codecNo, added };
}

/**
 * `chosen` are ascending places of passages among all staged ones. Null when they have no token vectors to train a codec
 * on.
 */
async function buildFromSample(input: BuildInput, chosen: Uint32Array): Promise<BuildOutput | null> {
  const counts = await encodeSample(input, chosen);
  if (counts.every((count) => count === 0)) return null;
  const codec = await train(input, chosen, counts);
  const file = await writeCodecFile(input.folder, input.indexId, codec);
  const codecNo = input.nextCodec;
  const added = { codecNo, baseCodecNo: null, file, centroids: codec.codebook.size };
  return encodeAll(input, { codec, codecNo, added });
}

/** Encodes the sampled passages and returns how many token vectors each has. */
async function encodeSample(input: BuildInput, chosen: Uint32Array): Promise<number[]> {
  const counts: number[] = [];
  let tokens = 0;
  for await (const { vectors } of encodeBatches(input, readBatches(input, chosen))) {
    for (const passage of vectors) {
      counts.push(passage.vectors.count);
      tokens += passage.vectors.count;
    }
    const { length: done } = counts;
    input.onProgress?.({ stage: "sample", done, total: chosen.length, unit: "passages", tokens });
  }
  return counts;
}

/** Held-out passages come last in the training input. */
async function train(input: BuildInput, chosen: Uint32Array, counts: readonly number[]): Promise<Codec> {
  const { dim } = input.source;
  const tokens = counts.reduce((sum, n) => sum + n, 0);
  const held = holdOut(counts);
  const heldOut = [...held].reduce((sum, record) => sum + counts[record]!, 0);
  const values = new Int8Array(tokens * dim);
  const scales = new Float32Array(tokens);
  const ids = new Uint32Array(tokens);
  let withIds = true;
  let record = 0;
  let next = 0;
  let nextHeld = tokens - heldOut;
  for await (const { vectors } of encodeBatches(input, readBatches(input, chosen))) {
    for (const passage of vectors) {
      const { count } = passage.vectors;
      const isHeld = held.has(record++);
      const at = isHeld ? nextHeld : next;
      values.set(passage.vectors.values, at * dim);
      scales.set(passage.vectors.scales, at);
      if (passage.tokenIds !== null) ids.set(passage.tokenIds, at);
      else if (count > 0) withIds = false;
      if (isHeld) nextHeld += count;
      else next += count;
    }
  }
  throwIfAborted(input.signal, "the build");
  const vectors: QuantizedVectors = { count: tokens, dim, values, scales };
  const expected = (tokens / counts.length) * input.queue.passages;
  return trainCodec(
    {
      vectors,
      tokenIds: withIds ? ids : null,
      heldOut,
      nbits: input.nbits,
      seed: input.seed,
      budget: centroidBudget(expected),
      onProgress: (done, total) => input.onProgress?.({ stage: "train", done, total, unit: "vectors" }),
    },
    input.kernels,
  );
}

/** The codec to compress with; `added` is its record when this build made it. */
interface ChosenCodec {
  readonly codec: Codec;
  readonly codecNo: number;
  readonly added: CodecRecord | null;
}

async function encodeAll(input: BuildInput, { codec, codecNo, added }: ChosenCodec): Promise<BuildOutput> {
  const { queue } = input;
  const segments: SegmentRecord[] = [];
  let writer: SegmentWriter | undefined;
  let tokens = 0;
  let done = 0;
  let emptyPassages = 0;
  let document = -1;
  const finish = async (finished: SegmentWriter): Promise<void> => {
    const written = await finished.finish();
    segments.push({ segmentNo: input.nextSegment + segments.length, codecNo, ...written });
  };
  try {
    for await (const { passages, vectors } of encodeBatches(input, readBatches(input, null))) {
      const counts: Array<{ passageNo: number; tokens: number }> = [];
      const compressed = compressPassages(codec, vectors, input.kernels);
      for (const [i, { passageNo, documentNo }] of passages.entries()) {
        // A segment ends between documents, so that the passages of one document stay side by side.
        if (writer !== undefined && documentNo !== document && writer.tokens >= MAX_SEGMENT_TOKENS) {
          await finish(writer);
          writer = undefined;
        }
        writer ??= await SegmentWriter.create(input.folder, input.indexId, codec);
        document = documentNo;
        const { count } = vectors[i]!.vectors;
        await writer.add(passageNo, documentNo, compressed[i]!);
        counts.push({ passageNo, tokens: count });
        tokens += count;
        if (count === 0) emptyPassages++;
      }
      queue.setTokens(counts);
      done += passages.length;
      const stage = input.codec === null ? "encode" : "write";
      input.onProgress?.({ stage, done, total: queue.passages, unit: "passages", tokens });
    }
    if (writer !== undefined) await finish(writer);
  } catch (error) {
    await writer?.abort();
    throw error;
  }
  return { codec: added, segments, tokens, emptyPassages };
}

/** Batches of staged passages in order: the chosen ones, or all when `chosen` is null. */
function* readBatches(input: BuildInput, chosen: Uint32Array | null): Generator<StagedPassage[]> {
  const { queue } = input;
  if (chosen === null) {
    for (let next = queue.firstPassage; ; ) {
      const batch = queue.readPassages(next, BATCH_PASSAGES);
      if (batch.length === 0) return;
      yield batch;
      next = batch.at(-1)!.passageNo + 1;
    }
  }
  let batch: StagedPassage[] = [];
  for (let c = 0; c < chosen.length; ) {
    // Neighbours are read together.
    let end = c + 1;
    while (end < chosen.length && chosen[end]! === chosen[end - 1]! + 1 && end - c < BATCH_PASSAGES) end++;
    batch.push(...queue.readPassages(queue.passageAt(chosen[c]!), end - c));
    c = end;
    if (batch.length >= BATCH_PASSAGES || c === chosen.length) {
      yield batch;
      batch = [];
    }
  }
}

interface EncodedBatch {
  readonly passages: readonly StagedPassage[];
  readonly vectors: readonly PassageVectors[];
}

/**
 * Vectors of batch after batch. Two further batches are under way while one is consumed, so that workers do not
 * wait for compression and disk.
 */
async function* encodeBatches(
  input: BuildInput,
  batches: Iterator<StagedPassage[]>,
): AsyncGenerator<EncodedBatch> {
  const encode = async (passages: StagedPassage[]): Promise<EncodedBatch> => ({
    passages,
    vectors: await input.source.vectors(passages, input.signal),
  });
  const underWay: Array<Promise<EncodedBatch>> = [];
  const start = (): void => {
    const { value, done } = batches.next();
    if (done === true) return;
    const work = encode(value);
    // A failure is thrown where the batch is awaited; until then it must not count as unhandled.
    work.catch(() => undefined);
    underWay.push(work);
  };
  for (let i = 0; i < 3; i++) start();
  for (let batch = underWay.shift(); batch !== undefined; batch = underWay.shift()) {
    throwIfAborted(input.signal, "the build");
    const encoded = await batch;
    yield encoded;
    start();
  }
}
