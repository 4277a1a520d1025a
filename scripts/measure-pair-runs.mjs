/**
 * What sharing runs is worth to a cross-encoder, and what it does to scores:
 *
 *   node scripts/measure-pair-runs.mjs <model folder> [rounds]
 *
 * Pairs of random tokens, in groups of like length of at most so many positions, each setting once a round. Prints the shortest time
 * of each relative to one pair a run, and the largest difference of a score from the one that the pair has in a run of its own.
 */
import { readFile } from "node:fs/promises";
import { Random } from "../dist/common/random.js";
import { loadCrossEncoderSettings } from "../dist/models/cross-encoder-settings.js";
import { PairSession } from "../dist/models/pair-session.js";

const LENGTHS = [
  [20, 40, 64],
  [60, 160, 32],
  [200, 500, 12],
];
const POSITIONS = [1, 256, 512, 1024, 4096];

const [folder, rounds = "5"] = process.argv.slice(2);
if (folder === undefined || !(Number(rounds) >= 1)) {
  console.error("usage: node scripts/measure-pair-runs.mjs <model folder> [rounds]");
  process.exit(2);
}
const settings = await loadCrossEncoderSettings(folder);
const { model } = JSON.parse(await readFile(settings.tokenizerFile, "utf8"));
const vocabulary = Object.keys(model.vocab).length;
const session = await PairSession.load(settings);
const random = new Random(1);

function randomPairs(low, high, count) {
  return Array.from({ length: count }, () => {
    const length = Math.min(low + random.below(high - low), settings.maxLength);
    const ids = Int32Array.from({ length }, () => random.below(vocabulary));
    return { ids, types: new Uint8Array(length) };
  }).sort((a, b) => a.ids.length - b.ids.length);
}

async function scoreAll(pairs, positions) {
  const scores = [];
  for (let start = 0; start < pairs.length; ) {
    let end = start + 1;
    while (end < pairs.length && (end + 1 - start) * pairs[end].ids.length <= positions) end++;
    scores.push(...(await session.run(pairs.slice(start, end))));
    start = end;
  }
  return scores;
}

console.log(`${settings.graphFile}${settings.quantized ? ", quantizes activations" : ""}`);
for (const [low, high, count] of LENGTHS) {
  const pairs = randomPairs(low, high, count);
  const times = POSITIONS.map(() => Number.POSITIVE_INFINITY);
  const alone = await scoreAll(pairs, 1);
  const differences = POSITIONS.map(() => 0);
  for (let round = 0; round < Number(rounds); round++) {
    for (const [i, positions] of POSITIONS.entries()) {
      const start = performance.now();
      const scores = await scoreAll(pairs, positions);
      times[i] = Math.min(times[i], performance.now() - start);
      for (const [p, score] of scores.entries()) {
        differences[i] = Math.max(differences[i], Math.abs(score - alone[p]));
      }
    }
  }
  console.log(`${count} pairs of ${low} to ${high} positions`);
  for (const [i, positions] of POSITIONS.entries()) {
    const share = (times[i] / times[0]).toFixed(2);
    console.log(
      `  runs of ${String(positions).padStart(4)} positions: time ${share}, score difference ${differences[i].toExponential(1)}`,
    );
  }
}
await session.close();
