import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packQuery } from "../../../src/kernels/pack.js";
import { referenceBackend } from "../../../src/kernels/reference.js";
import { InlineScorer, type ScoringQuery, type ScoringStage } from "../../../src/search/scorer.js";
import type { SegmentPassages } from "../../../src/search/types.js";
import { ScorePool } from "../../../src/workers/score-pool.js";
import { DIM, memorySnapshot } from "../../support/built-segments.js";

/** Counts as so slow a backend that any work is worth threads. */
const slow = { ...referenceBackend, name: "js" as const };

let pool: ScorePool;
let query: ScoringQuery;
let work: SegmentPassages[];

beforeAll(() => {
  const { corpus, snapshot } = memorySnapshot({ passages: 400, tokens: 40 });
  const packed = packQuery(corpus.query(3, 20), 20, DIM);
  const table = new Float32Array(new SharedArrayBuffer(snapshot.codec.codebook.size * packed.lanes * 4));
  referenceBackend.centroidScores(packed, snapshot.codec.codebook, table);
  query = { packed, quantizer: snapshot.codec.quantizer, table };
  const some = Uint32Array.from({ length: 150 }, (_, i) => i + (i % 2));
  work = snapshot.segments.map((segment, s) => ({ segment, passages: s === 0 ? null : some }));
  pool = new ScorePool(slow, 2);
});
afterAll(() => pool.close());

describe("the scoring pool", () => {
  it.each<ScoringStage>(["maxsim", "approximate"])(
    "gives the scores of the calling thread, %s",
    async (stage) => {
      const expected = await new InlineScorer(referenceBackend).score(stage, query, work);
      // The first rounds stay inline, later ones go to threads; all must agree.
      for (let round = 0; round < 12; round++) expect(await pool.score(stage, query, work)).toEqual(expected);
    },
  );

  it("reports a worker that fails, and goes on afterwards", async () => {
    const broken = { ...query, table: query.table.subarray(0, 16) };
    await expect(pool.score("maxsim", broken, work)).rejects.toMatchObject({ code: "WORKER_FAILED" });
    const expected = await new InlineScorer(referenceBackend).score("maxsim", query, work);
    expect(await pool.score("maxsim", query, work)).toEqual(expected);
  });

  it("can be closed twice", async () => {
    const other = new ScorePool(slow, 2);
    await other.close();
    await other.close();
  });
});
