// Statistics of a corpus and its index that decide what a search costs: whether a grown corpus resembles a real one.

import { Index } from "../../../dist/engine/index.js";
import { floatMaxSim } from "../../lib/float-maxsim.mjs";
import { fixed, percent } from "./report.mjs";
import { readSection, sectionFiles } from "./section-table.mjs";
import { quantile } from "./statistics.mjs";

const FREQUENT_IDS = 100;
/** Every so many blocks, residuals and random passages are looked at. */
const SAMPLED_BLOCKS = 16;
const RANDOM_PASSAGES = 1000;

/**
 * @param {string} name
 * @param {import("./corpus.mjs").Corpus} corpus
 * @param {string} folder of its index
 * @param {readonly Float32Array[]} queries
 */
export async function corpusShape(name, corpus, folder, queries) {
  const codes = segmentCodes(folder);
  const sample = sampleOf(corpus, codes, folder);
  const lists = listLengths(codes, corpus.lengths, sample.centroids);
  const mean = lists.reduce((sum, n) => sum + n, 0) / lists.length;
  const relative = (q) => quantile(lists, q) / mean;
  const best = await bestScores(folder, corpus.dim, queries);
  const random = await randomScores(sample, corpus.dim, queries);
  return {
    name,
    passages: corpus.passages,
    tokens: corpus.tokens,
    centroids: sample.centroids,
    lists: {
      mean,
      p50: relative(0.5),
      p90: relative(0.9),
      p99: relative(0.99),
      p999: relative(0.999),
      max: relative(1),
    },
    frequentShare: sample.frequentShare,
    residuals: quantiles(sample.residualNorms),
    scores: {
      top1: quantiles(best.map((scores) => scores[0])),
      top10: quantiles(best.map((scores) => scores[9])),
      random: quantiles(random),
    },
  };
}

/** Codes of all tokens in the order of the passages. */
function segmentCodes(folder) {
  const segments = sectionFiles(folder, "segments").map((path) => {
    const Codes = readSection(path, "info", Uint32Array)[4] === 2 ? Uint16Array : Uint32Array;
    return { first: readSection(path, "document", Uint32Array)[0], codes: readSection(path, "codes", Codes) };
  });
  const sorted = segments.sort((a, b) => a.first - b.first);
  const all = new Uint32Array(sorted.reduce((sum, { codes }) => sum + codes.length, 0));
  let at = 0;
  for (const { codes } of sorted) {
    all.set(codes, at);
    at += codes.length;
  }
  return all;
}

/** Passages with at least one token of each centroid. */
function listLengths(codes, lengths, centroids) {
  const last = new Uint32Array(centroids);
  const counts = new Uint32Array(centroids);
  let at = 0;
  for (const [p, length] of lengths.entries()) {
    for (const end = at + length; at < end; at++) {
      const code = codes[at];
      if (last[code] === p + 1) continue;
      last[code] = p + 1;
      counts[code]++;
    }
  }
  return counts;
}

/** One pass over the corpus: frequencies of ids, lengths of residuals, and passages from everywhere. */
function sampleOf(corpus, codes, folder) {
  const { dim, passages } = corpus;
  const codebook = readCodebook(folder);
  const frequencies = new Map();
  const residualNorms = [];
  const chosen = { lengths: [], rows: [] };
  const every = Math.max(1, Math.floor(passages / RANDOM_PASSAGES));
  let token = 0;
  let blocks = 0;
  for (const { first, lengths, tokenIds, vectors } of corpus.blocks()) {
    for (const id of tokenIds) frequencies.set(id, (frequencies.get(id) ?? 0) + 1);
    if (blocks++ % SAMPLED_BLOCKS === 0) {
      for (let t = 0; t < tokenIds.length; t++) {
        residualNorms.push(distance(vectors, t * dim, codebook, codes[token + t], dim));
      }
    }
    let at = 0;
    for (const [i, length] of lengths.entries()) {
      if ((first + i) % every === 0) {
        chosen.lengths.push(length);
        chosen.rows.push(vectors.slice(at * dim, (at + length) * dim));
      }
      at += length;
    }
    token += tokenIds.length;
  }
  const frequent = [...frequencies.values()].sort((a, b) => b - a).slice(0, FREQUENT_IDS);
  const frequentShare = frequent.reduce((sum, n) => sum + n, 0) / corpus.tokens;
  return { centroids: codebook.scales.length, frequentShare, residualNorms, chosen };
}

function readCodebook(folder) {
  const [path] = sectionFiles(folder, "codecs");
  return {
    values: readSection(path, "centroid", Uint8Array),
    scales: readSection(path, "cscales", Float32Array),
  };
}

/** Between a row and its centroid, whose components are stored with a bias of 64. */
function distance(rows, row, { values, scales }, code, dim) {
  let square = 0;
  for (let d = 0; d < dim; d++) {
    const difference = rows[row + d] - (values[code * dim + d] - 64) * scales[code];
    square += difference * difference;
  }
  return Math.sqrt(square);
}

/** Scores of the ten best passages of each query, divided by the query's tokens. */
async function bestScores(folder, dim, queries) {
  const index = await Index.open(folder);
  try {
    const scores = [];
    for (const vectors of queries) {
      const { hits } = await index.searchEmbeddings(vectors, { k: 10, effort: "exact" });
      scores.push(hits.map(({ score }) => score / (vectors.length / dim)));
    }
    return scores;
  } finally {
    await index.close();
  }
}

/** The same of passages from everywhere, all queries together. */
async function randomScores({ chosen }, dim, queries) {
  const rows = new Float32Array(chosen.rows.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of chosen.rows) {
    rows.set(part, at);
    at += part.length;
  }
  const passages = {
    dim,
    lengths: Uint32Array.from(chosen.lengths),
    rows: (from, to) => rows.subarray(from * dim, to * dim),
  };
  const scores = await floatMaxSim(passages, queries);
  return scores.flatMap((ofQuery, q) => Array.from(ofQuery, (score) => score / (queries[q].length / dim)));
}

function quantiles(values) {
  const of = (q) => quantile(values, q);
  return { p10: of(0.1), p50: of(0.5), p90: of(0.9), p99: of(0.99) };
}

/** Tables for a report, one row a corpus. */
export function shapeTables(shapes) {
  const column = (key, title, format) => ({ key, title, format });
  const name = { key: "name", title: "vectors", left: true };
  const four = ["p10", "p50", "p90", "p99"];
  return [
    {
      title: `Posting lists at ${shapes[0].passages} passages: lengths relative to their mean`,
      columns: [
        name,
        column("centroids", "centroids"),
        column("mean", "mean", fixed(1)),
        ...["p50", "p90", "p99", "p999", "max"].map((key) => column(key, key, fixed(2))),
        column("frequentShare", `tokens of the ${FREQUENT_IDS} most frequent ids`, percent),
      ],
      rows: shapes.map(({ lists, ...shape }) => ({ ...shape, ...lists })),
    },
    {
      title: "Lengths of residuals",
      columns: [name, ...four.map((key) => column(key, key, fixed(3)))],
      rows: shapes.map(({ name: vectors, residuals }) => ({ name: vectors, ...residuals })),
    },
    {
      title:
        "MaxSim a query token: the best and the tenth passage of each query, and random passages (float32)",
      columns: [
        name,
        { key: "of", title: "of", left: true },
        ...four.map((key) => column(key, key, fixed(3))),
      ],
      rows: shapes.flatMap(({ name: vectors, scores }) =>
        Object.entries(scores).map(([of, values]) => ({ name: vectors, of, ...values })),
      ),
    },
  ];
}
