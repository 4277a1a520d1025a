import { setImmediate as nextTurn } from "node:timers/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { Codec } from "../../../src/codec/codec.js";
import { TokenGroups } from "../../../src/codec/token-groups.js";
import { AUTO_GRAPH_CENTROIDS, routerFor } from "../../../src/engine/routers.js";
import type { Codebook } from "../../../src/kernels/backend.js";
import { packCodebook, packQuery } from "../../../src/kernels/pack.js";
import { referenceBackend as kernels } from "../../../src/kernels/reference.js";
import { HnswRouter } from "../../../src/search/hnsw-router.js";
import { searchParameters } from "../../../src/search/parameters.js";
import { type Router, ScanRouter } from "../../../src/search/router.js";
import { searchSnapshot } from "../../../src/search/search.js";
import { Workspace } from "../../../src/search/workspace.js";
import { memorySnapshot } from "../../support/built-segments.js";
import { SyntheticCorpus } from "../../support/synthetic.js";

const DIM = 32;
const CENTROIDS = 3000;
const NPROBE = 8;

/** Token vectors in the place of centroids: as uneven as those are. */
function tokenCodebook(centroids: number): { codebook: Codebook; corpus: SyntheticCorpus } {
  const corpus = new SyntheticCorpus({ passages: centroids / 20, tokens: 20, dim: DIM, vocabulary: 1000 });
  const rows = Float32Array.from(corpus.passages.flatMap(({ vectors }) => [...vectors]));
  return { codebook: packCodebook(rows, DIM), corpus };
}

function grown(codebook: Codebook): HnswRouter {
  const router = new HnswRouter(codebook.size, codebook.dim);
  expect(router.grow(codebook, Number.POSITIVE_INFINITY)).toBe(true);
  return router;
}

function codecOf(codebook: Codebook): Codec {
  const quantizer = {
    nbits: 1 as const,
    cutoffs: Float32Array.of(0),
    weights: Uint8Array.of(1, 127),
    weightScale: 0.01,
  };
  return new Codec(codebook, quantizer, new TokenGroups([]));
}

describe("the hnsw router", () => {
  const { codebook, corpus } = tokenCodebook(CENTROIDS);
  const scan = new ScanRouter(kernels, codebook);
  const queries = Array.from({ length: 12 }, (_, i) => packQuery(corpus.query(i * 11, 6), 6, DIM));
  const tables = queries.map((query) => {
    const table = new Float32Array(codebook.size * query.lanes);
    kernels.centroidScores(query, codebook, table, null);
    return table;
  });
  const probesOf = (router: Router) => queries.map((query, i) => router.probe(query, tables[i]!, NPROBE));
  let router: HnswRouter;

  beforeAll(() => {
    router = grown(codebook);
  });

  it("finds nearly the centroids that a scan finds, scored alike", () => {
    const exact = probesOf(scan);
    let same = 0;
    probesOf(router).forEach(({ ids, scores }, i) => {
      const { tokens, lanes } = queries[i]!;
      for (let q = 0; q < tokens; q++) {
        const from = q * NPROBE;
        const wanted = new Set(exact[i]!.ids.subarray(from, from + NPROBE));
        for (let n = from; n < from + NPROBE; n++) {
          same += Number(wanted.has(ids[n]!));
          expect(scores[n]).toBe(tables[i]![ids[n]! * lanes + q]);
          if (n > from) expect(scores[n]).toBeLessThanOrEqual(scores[n - 1]!);
        }
      }
    });
    expect(same / (queries.length * 6 * NPROBE)).toBeGreaterThanOrEqual(0.95);
  });

  it("is the same graph each time, however it grew", () => {
    const slowly = new HnswRouter(codebook.size, DIM);
    let slices = 0;
    while (!slowly.grow(codebook, 0)) slices++;
    expect(slices).toBe(CENTROIDS - 1);
    expect(probesOf(slowly)).toEqual(probesOf(router));
  });

  it("serves a search", () => {
    const built = memorySnapshot({ passages: 240, passagesPerDocument: 3 });
    const vectors = built.corpus.query(40, 6);
    const request = {
      packed: packQuery(vectors, 6, DIM),
      vectors,
      k: 5,
      parameters: searchParameters(5, { exhaustiveTokens: 0 }),
    };
    const graph = grown(built.snapshot.codec.codebook);
    const context = { kernels, router: graph, workspace: new Workspace() };
    const [outcome] = searchSnapshot(built.snapshot, [request], context);
    expect(outcome!.plan).toBe("pruned");
    expect(outcome!.ranked[0]!.documentNo).toBe(Math.floor(40 / 3));
  });
});

describe("the router of a codec", () => {
  const { codebook } = tokenCodebook(400);

  it("is a scan by default, below four million centroids", async () => {
    expect(searchParameters(10, {}).router).toBe("auto");
    expect(AUTO_GRAPH_CENTROIDS).toBeGreaterThan(4_000_000);
    const codec = codecOf(codebook);
    expect((await routerFor("auto", codec, kernels)).name).toBe("scan");
    expect((await routerFor("scan", codec, kernels)).name).toBe("scan");
  });

  it("is a graph that is grown once for all who ask, between other work", async () => {
    const codec = codecOf(tokenCodebook(2000).codebook);
    let turns = 0;
    let waiting = true;
    const counting = (async () => {
      for (; waiting; turns++) await nextTurn();
    })();
    const [one, two] = await Promise.all([
      routerFor("hnsw", codec, kernels),
      routerFor("hnsw", codec, kernels),
    ]);
    waiting = false;
    await counting;
    expect(one.name).toBe("hnsw");
    expect(two).toBe(one);
    expect(await routerFor("hnsw", codec, kernels)).toBe(one);
    expect(turns).toBeGreaterThan(2);
  });

  it("is a scan while the graph of a large codebook grows, then the graph", async () => {
    const codec = codecOf(codebook);
    const from = codebook.size;
    expect((await routerFor("auto", codec, kernels, from)).name).toBe("scan");
    const graph = await routerFor("hnsw", codec, kernels, from);
    expect(await routerFor("auto", codec, kernels, from)).toBe(graph);
    expect((await routerFor("scan", codec, kernels, from)).name).toBe("scan");
  });
});
