/** What every reranker must hold, whatever ranks inside: run by the test of each implementation. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RerankDocument, Reranker, RerankOutcome } from "../../src/rerank/types.js";

export interface ConformanceOptions {
  /** Documents of a request that is still quick; at least 8. */
  readonly documents?: number;
  /** Whether scores may only be compared within a stage. Default false. */
  readonly staged?: boolean;
  /** Puts documents into a form that the reranker knows. Default: as they are. */
  readonly prepare?: (documents: readonly string[]) => Promise<readonly RerankDocument[]>;
}

const QUERY = "how do bees find their way home";
const TEXTS = [
  "The harbour was rebuilt after the storm of 1953.",
  "Bees find their way home by the position of the sun and by landmarks.",
  "A recipe for bread: flour, water, salt and time.",
  "Honeybees dance to tell others of the hive where flowers are.",
  "The train leaves at nine from platform two.",
  "Pigeons find their way home with the help of the earth's magnetic field.",
  "Interest rates rose again in the third quarter.",
  "How to find the way: a map, a compass, and the sun.",
];

/** Every position once, results in order of score, documents the very objects that came in. */
export function expectPermutation<D extends RerankDocument>(
  outcome: RerankOutcome<D>,
  documents: readonly D[],
  staged = false,
): void {
  const places = outcome.results.map(({ index }) => index);
  expect([...places].sort((a, b) => a - b)).toEqual([...documents.keys()]);
  for (const { index, score, document } of outcome.results) {
    expect(document).toBe(documents[index]);
    expect(Number.isFinite(score)).toBe(true);
  }
  if (staged) return;
  for (let i = 1; i < outcome.results.length; i++) {
    expect(outcome.results[i - 1]!.score).toBeGreaterThanOrEqual(outcome.results[i]!.score);
  }
}

/** `open` is called once; the reranker is closed at the end. */
export function describeReranker(
  name: string,
  open: () => Promise<Reranker>,
  { documents: size = 24, staged = false, prepare = async (texts) => texts }: ConformanceOptions = {},
): void {
  describe(`${name} as a reranker`, () => {
    let reranker: Reranker;
    let documents: readonly RerankDocument[];
    beforeAll(async () => {
      reranker = await open();
      const texts = Array.from({ length: size }, (_, i) => {
        return i < TEXTS.length ? TEXTS[i]! : `${TEXTS[i % TEXTS.length]} Note ${i}.`;
      });
      documents = await prepare(texts);
    });
    afterAll(async () => {
      await reranker?.close();
    });
    const rankAll = async (): Promise<RerankOutcome> => {
      return (await reranker.rerankBatch([{ query: QUERY, documents }]))[0]!;
    };

    it("gives every document once, best first", async () => {
      const outcome = await rankAll();
      expect(outcome.reranked).toBe(true);
      expectPermutation(outcome, documents, staged);
      expect(outcome.milliseconds).toBeGreaterThanOrEqual(0);
      for (const count of Object.values(outcome.usage)) expect(count).toBeGreaterThanOrEqual(0);
    });

    it("is deterministic", async () => {
      const first = await rankAll();
      const second = await rankAll();
      expect(second.results.map(({ index, score }) => [index, score])).toEqual(
        first.results.map(({ index, score }) => [index, score]),
      );
    });

    it("gives the same alone and in a batch", async () => {
      const requests = [QUERY, "a recipe for bread", QUERY].map((query) => ({ query, documents }));
      const outcomes = await reranker.rerankBatch(requests);
      expect(outcomes).toHaveLength(3);
      for (const outcome of outcomes) expectPermutation(outcome, documents, staged);
      const alone = await rankAll();
      for (const at of [0, 2]) {
        const places = outcomes[at]!.results.map(({ index }) => index);
        expect(places).toEqual(alone.results.map(({ index }) => index));
      }
    });

    it("cuts at topN what it ranks", async () => {
      const { results } = await rankAll();
      for (const topN of [1, 3, size, size + 5]) {
        const top = await reranker.rerank(QUERY, documents, { topN });
        expect(top.map(({ index }) => index)).toEqual(results.slice(0, topN).map(({ index }) => index));
      }
    });

    it("has nothing to say about no documents", async () => {
      expect(await reranker.rerank(QUERY, [])).toEqual([]);
      expect(await reranker.rerankBatch([])).toEqual([]);
    });

    it("keeps equal documents apart", async () => {
      const twice = [documents[1]!, documents[0]!, documents[1]!, documents[1]!];
      const [outcome] = await reranker.rerankBatch([{ query: QUERY, documents: twice }]);
      expectPermutation(outcome!, twice, staged);
    });

    it("puts documents without a visible character last", async () => {
      const some = ["", documents[1]!, " \n\t", documents[2]!];
      const [outcome] = await reranker.rerankBatch([{ query: QUERY, documents: some }]);
      expectPermutation(outcome!, some, staged);
      expect(outcome!.results.slice(2).map(({ index }) => index)).toEqual([0, 2]);
      expect(await reranker.rerank(QUERY, ["", " "])).toEqual([
        { index: 0, score: 0, document: "" },
        { index: 1, score: 0, document: " " },
      ]);
    });

    it("reads the fields that are named", async () => {
      const objects = TEXTS.map((text, i) => ({ id: `d${i}`, body: text, note: "the same everywhere" }));
      const [outcome] = await reranker.rerankBatch([{ query: QUERY, documents: objects }], {
        fields: ["body"],
      });
      expectPermutation(outcome!, objects, staged);
      const plain = await reranker.rerank(QUERY, TEXTS);
      expect(outcome!.results.map(({ index }) => index)).toEqual(plain.map(({ index }) => index));
    });

    it("ranks a document far beyond its limits", async () => {
      const long = `${"Nothing of interest happens here. ".repeat(2_000)}`;
      const some = [long, documents[1]!];
      const [outcome] = await reranker.rerankBatch([{ query: QUERY, documents: some }]);
      expectPermutation(outcome!, some, staged);
    });

    it.each([
      ["topN 0", { topN: 0 }, /topN must be an integer of at least 1, found 0/],
      ["a negative topN", { topN: -3 }, /topN must be an integer of at least 1, found -3/],
      ["no fields", { fields: [] }, /fields must be an array of one or more names/],
      ["maxTokensPerDocument 0", { maxTokensPerDocument: 0 }, /maxTokensPerDocument must be/],
    ])("refuses %s", async (_, options, message) => {
      await expect(reranker.rerank(QUERY, documents, options)).rejects.toMatchObject({
        code: "INVALID_ARGUMENT",
        message: expect.stringMatching(message),
      });
    });

    it("refuses too many documents, an empty query and what is no document", async () => {
      const many = Array.from({ length: 10_001 }, () => "a");
      await expect(reranker.rerank(QUERY, many)).rejects.toMatchObject({
        code: "INVALID_ARGUMENT",
        message: expect.stringMatching(/documents must be at most 10000, found an array of 10001/),
      });
      await expect(reranker.rerank("  ", documents)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
      const wrong = [documents[0]!, 7] as readonly RerankDocument[];
      await expect(reranker.rerank(QUERY, wrong)).rejects.toMatchObject({
        code: "INVALID_DOCUMENT",
        message: expect.stringMatching(/documents\[1\]/),
      });
    });

    it("stops when it is told to", async () => {
      const signal = AbortSignal.abort();
      await expect(reranker.rerank(QUERY, documents, { signal })).rejects.toMatchObject({ code: "ABORTED" });
    });

    it("has a fingerprint that stays", async () => {
      const fingerprint = await reranker.fingerprint();
      expect(fingerprint).not.toBe("");
      expect(await reranker.fingerprint()).toBe(fingerprint);
    });
  });

  it(`${name} refuses work after it was closed`, async () => {
    const reranker = await open();
    await reranker.close();
    await reranker.close();
    await expect(reranker.rerank(QUERY, TEXTS)).rejects.toMatchObject({ code: "CLOSED" });
  });
}
