// How many token vectors a second the bundled model makes on this machine: what the cost of a build is set against.

import { Encoder } from "../../../dist/engine/encoder.js";
import { arxivTexts } from "../data/arxiv.mjs";
import { evenly, median } from "./statistics.mjs";

const ROUNDS = 3;

/**
 * @param {number} passages abstracts to encode in each of three rounds
 * @returns {Promise<number | undefined>} tokens a second on all processors; undefined where there are no texts
 */
export async function encodeRate(passages) {
  const rows = arxivTexts();
  if (rows === undefined) return undefined;
  const texts = evenly(rows.length, passages).map((row) => rows[row].pos);
  const encoder = await Encoder.load();
  try {
    await encoder.encodeDocuments(texts.slice(0, 16));
    const rates = [];
    for (let round = 0; round < ROUNDS; round++) {
      const started = performance.now();
      const encoded = await encoder.encodeDocuments(texts);
      const tokens = encoded.reduce((sum, { count }) => sum + count, 0);
      rates.push((1000 * tokens) / (performance.now() - started));
    }
    return median(rates);
  } finally {
    await encoder.close();
  }
}
