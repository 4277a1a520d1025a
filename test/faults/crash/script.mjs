/** Random sequences of operations, and the state behind each of them. */
import { Random } from "../lib/random.mjs";
import { contradiction } from "./judge.mjs";
import { stateAfter } from "./operations.mjs";

const IDS = 30;

/** Weights; what a build cannot do is left out. */
const WEIGHTS = { add: 5, delete: 3, update: 2, compact: 1 };

/**
 * @param {number} seed
 * @param {number} length operations, the first of which creates the index and the second adds documents.
 * @param {readonly string[]} available names of operations beside create and add.
 */
export function randomScript(seed, length, available) {
  const random = new Random(seed);
  const pick = (count) => Array.from(random.sample(count, IDS), (i) => `d${i}`);
  const operations = [
    { op: "create", nbits: [1, 2, 4][random.below(3)] },
    { op: "add", ids: pick(8), version: 0 },
  ];
  const names = Object.keys(WEIGHTS).filter((name) => name === "add" || available.includes(name));
  const bag = names.flatMap((name) => Array(WEIGHTS[name]).fill(name));
  for (let version = 1; operations.length < length; version++) {
    const live = [...stateAfter(operations).keys()];
    const some = (count) =>
      Array.from(random.sample(Math.min(count, live.length), live.length), (i) => live[i]);
    const op = bag[random.below(bag.length)];
    if (op === "add") operations.push({ op, ids: pick(1 + random.below(5)), version });
    else if (op === "compact") {
      operations.push({ op, options: { all: random.below(2) === 0, graceMs: [0, 60_000][random.below(2)] } });
    }
    // Always something to do, or there would be no new generation.
    else if (live.length > 4) operations.push({ op, ids: some(1 + random.below(2)), version });
  }
  return operations;
}

/**
 * The states of an undisturbed run: `states[i]` is the one in front of operation i, so the last one is the end's.
 * The folder is used up.
 */
export async function undisturbed(place, operations, observer) {
  const states = [{ missing: true }, ...(await observer.goldens(place, operations))];
  states.forEach((state, i) => {
    const problem = i === 0 ? undefined : contradiction(state, operations.slice(0, i));
    if (problem !== undefined) throw new Error(`undisturbed, after operation ${i}: ${problem}`);
  });
  return states;
}

/** The optional operations that a build can do. */
export async function availableOperations(observer) {
  const found = [];
  for (const op of Object.keys(WEIGHTS)) if ((await observer.missing([{ op }])) === null) found.push(op);
  return found;
}
