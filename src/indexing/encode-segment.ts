/** One segment encoded again with a given codec: the same passages give the same file. */
import type { Codec } from "../codec/codec.js";
import { throwIfAborted } from "../common/abort.js";
import type { StagedPassage } from "../documents/staging.js";
import type { KernelBackend } from "../kernels/backend.js";
import type { PassageQueue, VectorSource } from "./build.js";
import { compressPassages } from "./compress-passages.js";
import { SegmentWriter, type WrittenSegment } from "./segment-writer.js";

export interface EncodeSegmentInput {
  /** Folder that the file is published in, under its final name. */
  readonly folder: string;
  readonly indexId: string;
  readonly codec: Codec;
  readonly queue: PassageQueue;
  readonly source: VectorSource;
  readonly kernels: KernelBackend;
  readonly signal: AbortSignal | undefined;
  /** Passages encoded so far, and their tokens. */
  readonly onPassages: (done: number, tokens: number) => void;
}

const BATCH_PASSAGES = 256;

/** Null when there are no passages. Errors: those of the source; ABORTED, DISK_FULL, IO. */
export async function encodeSegment(input: EncodeSegmentInput): Promise<WrittenSegment | null> {
  const { folder, indexId, codec, queue, source, kernels, signal } = input;
  if (queue.passages === 0) return null;
  const writer = await SegmentWriter.create(folder, indexId, codec);
  try {
    let batch: StagedPassage[] = queue.readPassages(queue.firstPassage, BATCH_PASSAGES);
    for (let done = 0; batch.length > 0; ) {
      throwIfAborted(signal, "the repair");
      const vectors = await source.vectors(batch, signal);
      queue.setTokens(batch.map(({ passageNo }, i) => ({ passageNo, tokens: vectors[i]!.vectors.count })));
      const compressed = compressPassages(codec, vectors, kernels);
      for (const [i, { passageNo, documentNo }] of batch.entries()) {
        await writer.add(passageNo, documentNo, compressed[i]!);
      }
      done += batch.length;
      input.onPassages(done, writer.tokens);
      batch = queue.readPassages(batch.at(-1)!.passageNo + 1, BATCH_PASSAGES);
    }
    return await writer.finish();
  } catch (error) {
    await writer.abort();
    throw error;
  }
}
