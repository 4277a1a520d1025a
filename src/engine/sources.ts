/** Where a build gets its vectors from: the model's encoder, or a spill of what the caller handed over. */
import { throwIfAborted } from "../common/abort.js";
import { MaxsimError } from "../common/errors.js";
import type { StagedPassage } from "../documents/staging.js";
import type { VectorSource } from "../indexing/build.js";
import { noVectors, type PassageVectors, unspillVectors } from "../indexing/passage-vectors.js";
import type { SpillFile } from "../storage/spill-file.js";
import type { EncodePool } from "../workers/encode-pool.js";

/** Mean tokens of an English passage of that many tokens at most; only the sample size depends on it. */
const TYPICAL_FILL = 0.75;

export class EncodedSource implements VectorSource {
  readonly dim: number;
  readonly tokensPerPassage: number;

  constructor(private readonly pool: EncodePool) {
    this.dim = pool.settings.dim;
    this.tokensPerPassage = pool.settings.documentLength * TYPICAL_FILL;
  }

  async vectors(
    passages: readonly StagedPassage[],
    signal: AbortSignal | undefined,
  ): Promise<PassageVectors[]> {
    const encoded = await this.pool.encodePassages(
      passages.map(({ text }) => text),
      signal === undefined ? {} : { signal },
    );
    // Special tokens and the marker alone say nothing: such a passage would match every query a little.
    return encoded.map(({ vectors, tokenIds, contentTokens }) =>
      contentTokens === 0 ? noVectors(this.dim) : { vectors, tokenIds },
    );
  }
}

/** Record n of the spill holds the vectors of the n-th staged passage. */
export class SpilledSource implements VectorSource {
  constructor(
    readonly dim: number,
    readonly tokensPerPassage: number,
    private readonly spill: SpillFile,
    private readonly firstPassage: number,
  ) {}

  async vectors(
    passages: readonly StagedPassage[],
    signal: AbortSignal | undefined,
  ): Promise<PassageVectors[]> {
    throwIfAborted(signal, "the build");
    const out: PassageVectors[] = [];
    for (const { passageNo } of passages) {
      const record = passageNo - this.firstPassage;
      if (record >= this.spill.records)
        throw new MaxsimError("INTERNAL", `no vectors for passage ${passageNo}`);
      out.push(await unspillVectors(this.spill, record, this.dim));
    }
    return out;
  }
}
