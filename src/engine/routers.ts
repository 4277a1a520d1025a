/** Routers of a codec, made when they are first asked for. */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Codec } from "../codec/codec.js";
import { MaxsimError } from "../common/errors.js";
import type { KernelBackend } from "../kernels/backend.js";
import type { HnswRouter } from "../search/hnsw-router.js";
import { type Router, type RouterName, ScanRouter } from "../search/router.js";

/**
 * Centroids from which "auto" takes a graph. Both routers need the whole score table, which later stages read, so the graph
 * saves no more than the pass over the table that finds its largest entries. For 32 query tokens that pass takes 0.3 ms at
 * 65,000 centroids, 1.6 ms at 262,000 and 5.9 ms at a million, a search of the graph 5.2, 8.7 and about 12 ms
 * (docs/performance.md, "Router"): four million is where it saves some of the 120 ms that the table takes by then. PLAID's
 * rule gives that many centroids to 69 billion token vectors, and the graph takes most of an hour to grow.
 */
export const AUTO_GRAPH_CENTROIDS = 2 ** 22;

/** Other work waits no longer than this for a graph that grows. */
const SLICE_MILLISECONDS = 8;

interface Graph {
  readonly whole: Promise<HnswRouter>;
  /** Set once the graph is whole. */
  router: HnswRouter | undefined;
  /** Whether a search waits for it; a graph that nobody waits for does not keep the process alive. */
  awaited: boolean;
}

/** Graphs live as long as their codec is in use. */
const graphs = new WeakMap<Codec, Graph>();

/**
 * "hnsw" waits until the graph is whole. "auto" scans, and from `graphFrom` centroids on it starts a graph that grows between
 * other work, and takes it once it is whole.
 * Errors: INVALID_ARGUMENT for "hnsw" when hnswlib-node, which is optional, is not installed; "auto" scans then.
 */
export async function routerFor(
  name: RouterName,
  codec: Codec,
  kernels: KernelBackend,
  graphFrom: number = AUTO_GRAPH_CENTROIDS,
): Promise<Router> {
  const scan = new ScanRouter(kernels, codec.codebook);
  if (name === "scan" || (name === "auto" && codec.codebook.size < graphFrom)) return scan;
  const graph = graphs.get(codec) ?? startGraph(codec);
  if (name === "auto") return graph.router ?? scan;
  graph.awaited = true;
  return graph.whole;
}

function startGraph(codec: Codec): Graph {
  const graph: Graph = {
    whole: growGraph(new WeakRef(codec), () => graph.awaited),
    router: undefined,
    awaited: false,
  };
  graphs.set(codec, graph);
  graph.whole.then(
    (router) => {
      graph.router = router;
    },
    // Searches that ask for the graph await `whole` and get the error; "auto" goes on scanning.
    () => undefined,
  );
  return graph;
}

/** Stops with CLOSED when nobody uses the codec any more. */
async function growGraph(codec: WeakRef<Codec>, isAwaited: () => boolean): Promise<HnswRouter> {
  const { HnswRouter } = await importHnsw();
  const codebook = (): Codec["codebook"] => {
    const used = codec.deref();
    if (used === undefined) throw new MaxsimError("CLOSED", "the index was closed while its graph was built");
    return used.codebook;
  };
  const router = new HnswRouter(codebook().size, codebook().dim);
  while (!router.grow(codebook(), SLICE_MILLISECONDS)) await nextTurn(undefined, { ref: isAwaited() });
  return router;
}

async function importHnsw(): Promise<typeof import("../search/hnsw-router.js")> {
  try {
    return await import("../search/hnsw-router.js");
  } catch (cause) {
    throw new MaxsimError(
      "INVALID_ARGUMENT",
      `router "hnsw" needs the package hnswlib-node: ${String(cause)}`,
      {
        hint: 'Install it with `npm install hnswlib-node`, or use router "scan".',
        cause,
      },
    );
  }
}
