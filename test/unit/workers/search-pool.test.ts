import { MessagePort } from "node:worker_threads";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { DocumentSet } from "../../../src/documents/document-set.js";
import { packQuery } from "../../../src/kernels/pack.js";
import { referenceBackend } from "../../../src/kernels/reference.js";
import { type SearchTuning, searchParameters } from "../../../src/search/parameters.js";
import { restrictSnapshot } from "../../../src/search/restricted-snapshot.js";
import { ScanRouter } from "../../../src/search/router.js";
import { searchSnapshot } from "../../../src/search/search.js";
import type { SearchRequest, SearchSnapshot } from "../../../src/search/types.js";
import { Workspace } from "../../../src/search/workspace.js";
import type { SearchTask } from "../../../src/workers/search-messages.js";
import { SearchPool } from "../../../src/workers/search-pool.js";
import { DIM, memorySnapshot } from "../../support/built-segments.js";
import type { SyntheticCorpus } from "../../support/synthetic.js";

/** Counts as so slow a backend that any work is worth threads. */
const slow = { ...referenceBackend, name: "js" as const };

let pool: SearchPool;
let corpus: SyntheticCorpus;
let snapshot: SearchSnapshot;

const request = (passage: number, tuning: SearchTuning): SearchRequest => {
  const vectors = corpus.query(passage, 12);
  return { packed: packQuery(vectors, 12, DIM), vectors, k: 9, parameters: searchParameters(9, tuning) };
};
const router = () => new ScanRouter(slow, snapshot.codec.codebook);
const inline = (from: SearchSnapshot, requests: readonly SearchRequest[]) =>
  searchSnapshot(from, requests, {
    kernels: referenceBackend,
    router: router(),
    workspace: new Workspace(),
  }).map(({ ranked, plan }) => ({ ranked, plan }));

beforeAll(() => {
  ({ corpus, snapshot } = memorySnapshot({ passages: 900, tokens: 40 }));
  pool = new SearchPool(slow, 2);
});
afterAll(() => pool.close());

describe.each<[string, SearchTuning]>([
  ["pruned", { exhaustiveTokens: 0 }],
  ["exhaustive", { effort: "exact" }],
])("the search pool, %s", (_, tuning) => {
  it("answers the same alone, side by side and in pieces", async () => {
    // The first rounds run on the calling thread, later ones on threads; all must agree.
    for (let round = 0; round < 6; round++) {
      const requests = Array.from({ length: 6 }, (_, i) => request(31 * i + round, tuning));
      const expected = inline(snapshot, requests);
      const together = await Promise.all(
        requests.map((one) => pool.search(snapshot, [one], router()).then(([outcome]) => outcome!)),
      );
      expect(together.map(({ ranked, plan }) => ({ ranked, plan }))).toEqual(expected);
      const alone = await pool.search(snapshot, [requests[0]!], router());
      expect(alone.map(({ ranked, plan }) => ({ ranked, plan }))).toEqual(expected.slice(0, 1));
      const batch = await pool.search(snapshot, requests, router());
      expect(batch.map(({ ranked, plan }) => ({ ranked, plan }))).toEqual(expected);
    }
  });
});

describe("the search pool, with filters", () => {
  it.each<[string, SearchTuning]>([
    ["pruned", { exhaustiveTokens: 0 }],
    ["exhaustive", { effort: "exact" }],
  ])("answers parts of a generation as one thread does, %s", async (_, tuning) => {
    const parts = [2, 3, 50].map((every) =>
      restrictSnapshot(snapshot, DocumentSet.of(Array.from({ length: 900 / every }, (_, i) => i * every))),
    );
    const requests = [3, 500, 700].map((passage) => request(passage, tuning));
    const messages = vi.spyOn(MessagePort.prototype, "postMessage");
    for (let round = 0; round < 4; round++) {
      const from = [snapshot, ...parts, ...parts];
      const together = await Promise.all(from.map((one) => pool.search(one, requests, router())));
      together.forEach((outcomes, i) => {
        expect(outcomes.map(({ ranked, plan }) => ({ ranked, plan }))).toEqual(inline(from[i]!, requests));
      });
      const alone = await pool.search(parts[0]!, requests.slice(0, 1), router());
      expect(alone.map(({ ranked, plan }) => ({ ranked, plan }))).toEqual(
        inline(parts[0]!, requests.slice(0, 1)),
      );
    }
    const tasks = messages.mock.calls.map(([message]) => (message as { task?: SearchTask }).task);
    messages.mockRestore();
    const described = tasks.filter((task) => (task?.description ?? null) !== null);
    expect(tasks.filter((task) => (task?.part ?? null) !== null).length).toBeGreaterThan(0);
    // Two threads with two tasks each ask for the generation at most once a task, whatever parts of it are searched.
    expect(described.length).toBeLessThanOrEqual(4);
  });
});

describe("the search pool", () => {
  it("answers from the snapshot that it is asked about", async () => {
    const part: SearchSnapshot = { ...snapshot, segments: snapshot.segments.slice(1), tokens: 100_000 };
    const requests = [3, 500, 700].map((passage) => request(passage, { exhaustiveTokens: 0 }));
    const answers = await Promise.all(
      [snapshot, part, snapshot, part].map((from) => pool.search(from, requests, router())),
    );
    for (const [i, from] of [snapshot, part, snapshot, part].entries()) {
      expect(answers[i]!.map(({ ranked, plan }) => ({ ranked, plan }))).toEqual(inline(from, requests));
    }
  });

  it("passes on what is wrong with a snapshot, by name, and goes on afterwards", async () => {
    const [first, ...others] = snapshot.segments;
    const codes = new Uint16Array(new SharedArrayBuffer(first!.compressed.codes.length * 2)).fill(65_535);
    const compressed = { ...first!.compressed, codes };
    const damaged = { ...snapshot, segments: [{ ...first!, compressed }, ...others] };
    const requests = [1, 2, 3].map((passage) => request(passage, { exhaustiveTokens: 0 }));
    const failing = requests.map((one) => pool.search(damaged, [one], router()));
    for (const failure of await Promise.allSettled(failing)) {
      expect(failure).toMatchObject({ status: "rejected", reason: { code: "CORRUPT" } });
    }
    const [outcome] = await pool.search(snapshot, requests.slice(0, 1), router());
    expect(outcome!.ranked).toEqual(inline(snapshot, requests)[0]!.ranked);
  });

  it("stops a batch that is aborted", async () => {
    const controller = new AbortController();
    const requests = Array.from({ length: 40 }, (_, i) => request(i, { effort: "exact" }));
    const searching = pool.search(snapshot, requests, router(), controller.signal);
    controller.abort();
    await expect(searching).rejects.toMatchObject({ code: "ABORTED" });
  });

  it("refuses after it was closed, twice", async () => {
    const other = new SearchPool(slow, 2);
    await other.close();
    await other.close();
    await expect(other.search(snapshot, [request(1, {})], router())).rejects.toMatchObject({
      code: "CLOSED",
    });
  });
});
