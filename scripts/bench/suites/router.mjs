// What finding the nearest centroids costs: a scan of the score table against a graph (hnswlib), by codebook size.

import { fileURLToPath } from "node:url";
import { trainCodec } from "../../../dist/codec/train.js";
import { Random } from "../../../dist/common/random.js";
import { packCodebook, packQuery } from "../../../dist/kernels/pack.js";
import { selectKernels } from "../../../dist/kernels/select.js";
import { ScanRouter } from "../../../dist/search/router.js";
import { benchCommand } from "../lib/command.mjs";
import { openCorpus } from "../lib/corpus.mjs";
import { processMemory } from "../lib/process-memory.mjs";
import { count, fixed, megabytes, withSpread } from "../lib/report.mjs";
import { spread } from "../lib/statistics.mjs";
import { quantizedCorpus } from "../lib/stored-corpus.mjs";

const TOKENS = [8, 16, 32];
/** Centroids that are trained at most; larger codebooks split them. */
const MAX_TRAINED = 262_144;
/** Length of the step from a centroid to those that it is split into: about that from a token vector to its centroid. */
const SPLIT_STEP = 0.4;

export const options = {
  data: {
    type: "string",
    default: "arxiv",
    choices: ["arxiv"],
    describe: "vectors that codebooks are trained on",
  },
  passages: { type: "integer", default: 4000, describe: "the first N passages of them" },
  sizes: { type: "integers", default: [16_384, 65_536, 262_144, 1_048_576], describe: "centroids" },
  "graph-up-to": {
    type: "integer",
    default: 300_000,
    describe: "larger codebooks get no graph: it takes minutes",
  },
  nprobe: { type: "integer", default: 8, describe: "centroids wanted for each query token" },
  rounds: { type: "integer", default: 15, describe: "queries of each length; scan and graph take turns" },
};

export async function run({ values, report, say }) {
  const { backend: kernels } = selectKernels();
  const corpus = await openCorpus(values);
  const sample = quantizedCorpus(corpus);
  const rows = [];
  for (const size of values.sizes) {
    say(`training ${count(size)} centroids`);
    const codebook = codebookOf(size, sample, kernels);
    const graph = size > values["graph-up-to"] ? undefined : await graphOf(codebook, say);
    for (const tokens of TOKENS) {
      rows.push({
        size: codebook.size,
        tokens,
        ...measure(codebook, tokens, graph, corpus, values, kernels),
      });
    }
  }
  report.table(
    `Processor milliseconds a query, median (p10-p90), ${values.nprobe} centroids a query token. Both routers need the score table`,
    COLUMNS,
    rows,
  );
  extrapolate(rows, report);
}

/** Trained on real vectors: flat while there are fewer centroids than vocabulary ids, token-aware beyond. */
function codebookOf(size, { vectors, tokenIds }, kernels) {
  const ids = new Set(tokenIds).size;
  const trained = Math.min(size, MAX_TRAINED);
  const aware = trained > 2 * ids;
  const { codebook } = trainCodec(
    {
      vectors,
      tokenIds: aware ? tokenIds : null,
      heldOut: 0,
      nbits: 4,
      seed: 42,
      budget: aware ? trained - ids : trained,
    },
    kernels,
  );
  return size > MAX_TRAINED ? split(codebook, Math.round(size / codebook.size)) : codebook;
}

/** `parts` centroids in the place of each, a step away in random directions. */
function split({ size, dim, values, scales }, parts) {
  const random = new Random(1);
  const rows = new Float32Array(size * parts * dim);
  for (let k = 0; k < size * parts; k++) {
    const from = Math.floor(k / parts);
    let square = 0;
    for (let d = 0; d < dim; d++) {
      const x =
        (values[from * dim + d] - 64) * scales[from] + (SPLIT_STEP * random.normal()) / Math.sqrt(dim);
      rows[k * dim + d] = x;
      square += x * x;
    }
    const norm = Math.sqrt(square);
    for (let d = k * dim; d < (k + 1) * dim; d++) rows[d] /= norm;
  }
  return packCodebook(rows, dim);
}

/** @returns {Promise<{router: object, seconds: number, bytes: number | undefined} | undefined>} */
async function graphOf(codebook, say) {
  let module;
  try {
    module = await import("../../../dist/search/hnsw-router.js");
  } catch (error) {
    say(`no graphs: ${error.message}`);
    return undefined;
  }
  say(`building a graph over ${count(codebook.size)} centroids`);
  const before = processMemory()?.anonymous;
  const router = new module.HnswRouter(codebook.size, codebook.dim);
  const { milliseconds } = timed(() => router.grow(codebook, Number.POSITIVE_INFINITY));
  const after = processMemory()?.anonymous;
  return {
    router,
    seconds: milliseconds / 1000,
    bytes: before === undefined ? undefined : after - before,
  };
}

function measure(codebook, tokens, graph, corpus, { nprobe, rounds }, kernels) {
  const scan = new ScanRouter(kernels, codebook);
  const tokenRows = queryTokens(corpus);
  const times = { table: [], scan: [], graph: [] };
  let same = 0;
  const lanes = Math.ceil(tokens / 16) * 16;
  const table = new Float32Array(codebook.size * lanes);
  const bytes = new Uint8Array(codebook.size * lanes);
  // Round 0 warms up.
  for (let round = 0; round <= rounds; round++) {
    const rows = new Float32Array(tokens * corpus.dim);
    for (let t = 0; t < tokens; t++)
      rows.set(tokenRows[(round * tokens + t) % tokenRows.length], t * corpus.dim);
    const query = packQuery(rows, tokens, corpus.dim);
    const took = { table: timed(() => kernels.centroidScores(query, codebook, table, bytes)) };
    took.scan = timed(() => scan.probe(query, table, nprobe));
    if (graph !== undefined) took.graph = timed(() => graph.router.probe(query, table, nprobe));
    if (round === 0) continue;
    for (const name of Object.keys(took)) times[name].push(took[name].milliseconds);
    if (graph !== undefined) same += shared(took.scan.result, took.graph.result, tokens);
  }
  return {
    table: spread(times.table),
    scan: spread(times.scan),
    graph: graph && spread(times.graph),
    recall: graph && same / (rounds * tokens * nprobe),
    seconds: graph?.seconds,
    bytes: graph?.bytes,
  };
}

/** Token vectors of all queries. */
function queryTokens({ queries, dim }) {
  return queries.flatMap((rows) =>
    Array.from({ length: rows.length / dim }, (_, t) => rows.subarray(t * dim, (t + 1) * dim)),
  );
}

/** Milliseconds of processor time: both routers run on the calling thread, and other processes do not count. */
function timed(work) {
  const before = process.cpuUsage();
  const result = work();
  const { user, system } = process.cpuUsage(before);
  return { result, milliseconds: (user + system) / 1000 };
}

function shared(exact, found, tokens) {
  const { nprobe } = exact;
  let same = 0;
  for (let q = 0; q < tokens; q++) {
    const wanted = new Set(exact.ids.subarray(q * nprobe, (q + 1) * nprobe));
    same += found.ids.subarray(q * nprobe, (q + 1) * nprobe).filter((id) => wanted.has(id)).length;
  }
  return same;
}

/** A graph's search grows with the logarithm of the size, its build a little faster than the size. */
function extrapolate(rows, report) {
  const built = rows.filter(({ graph, tokens }) => graph !== undefined && tokens === TOKENS.at(-1));
  const missing = rows.filter(({ graph, tokens }) => graph === undefined && tokens === TOKENS.at(-1));
  const [a, b] = built.slice(-2);
  if (b === undefined) return;
  for (const row of missing) {
    const doublings = (pair) => Math.log2(pair[1].size / pair[0].size);
    const steps = doublings([b, row]) / doublings([a, b]);
    const graph = b.graph.median + steps * (b.graph.median - a.graph.median);
    const seconds = b.seconds * (b.seconds / a.seconds) ** steps;
    report.note(
      `Extrapolated from ${count(a.size)} and ${count(b.size)}: the graph over ${count(row.size)} centroids takes ` +
        `${graph.toFixed(1)} ms for ${row.tokens} query tokens and ${count(seconds)} s to build.`,
    );
  }
}

const COLUMNS = [
  { key: "size", title: "centroids", format: count },
  { key: "tokens", title: "query tokens" },
  { key: "table", title: "score table", format: withSpread(2) },
  { key: "scan", title: "scan", format: withSpread(2) },
  { key: "graph", title: "graph", format: withSpread(2) },
  { key: "recall", title: "recall of the graph", format: fixed(3) },
  { key: "seconds", title: "graph built, processor s", format: fixed(0) },
  { key: "bytes", title: "graph, MB", format: megabytes },
];

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  // The command imports this module, which therefore must not wait for it.
  benchCommand(["router", ...process.argv.slice(2)]).then((status) => {
    process.exitCode = status;
  });
}
