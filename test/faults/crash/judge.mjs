/** Decides what a state of an index means: the one before the pending operation, the one behind it, or neither. */
import { isDeepStrictEqual } from "node:util";
import { stateAfter } from "./operations.mjs";

const MAX_SHOWN = 300;

/** How an observation contradicts the oracle, which knows nothing of the package; undefined when it agrees. */
export function contradiction(observation, operations) {
  const { documents = [], answers = { exact: [] }, problems = [] } = observation;
  if (problems.length > 0) return `its checks say: ${problems.join("; ").slice(0, MAX_SHOWN)}`;
  const expected = [...stateAfter(operations).values()];
  const found = new Map(documents.map((document) => [document.id, document]));
  if (found.size !== documents.length) return "an id is listed twice";
  for (const { version, synced, ...document } of expected) {
    const stored = found.get(document.id);
    if (stored === undefined) return `document ${document.id} is missing`;
    const comparable = synced ? { id: stored.id, text: stored.text } : stored;
    if (!isDeepStrictEqual(comparable, document)) {
      return `document ${document.id} is ${JSON.stringify(comparable).slice(0, MAX_SHOWN)}, expected ${JSON.stringify(document)}`;
    }
    found.delete(document.id);
  }
  if (found.size > 0) return `there are documents nobody added: ${[...found.keys()].join(", ")}`;
  for (const hits of answers.exact) {
    const ids = new Set(hits.map(([id]) => id));
    if (hits.length !== expected.length || expected.some(({ id }) => !ids.has(id))) {
      return `an exhaustive search gives ${[...ids].join(" ")}, expected every one of ${expected.length} documents`;
    }
    if (hits.some(([, score], i) => i > 0 && score > hits[i - 1][1])) return "hits are out of order";
  }
  return undefined;
}

/** True when two observations are of the same state, to the last bit of every score. */
export function sameState(a, b) {
  return isDeepStrictEqual(a, b);
}

/** Where two observations differ, for a message. */
export function difference(found, expected) {
  if (found.missing || expected.missing) return `found ${short(found)}, expected ${short(expected)}`;
  for (const key of ["problems", "generation", "documents", "answers"]) {
    if (isDeepStrictEqual(found[key], expected[key])) continue;
    return `${key}: found ${short(found[key])}, expected ${short(expected[key])}`;
  }
  return "no difference";
}

function short(value) {
  return JSON.stringify(value).slice(0, MAX_SHOWN);
}

/**
 * @param {object} observation
 * @param {{ before: object, after: object, acknowledged: boolean }} expected
 * @returns {{ state: "before" | "after" } | { kind: "lost" | "wrong", what: string }}
 */
export function judge(observation, { before, after, acknowledged }) {
  if (sameState(observation, after)) return { state: "after" };
  if (sameState(observation, before)) {
    return acknowledged
      ? { kind: "lost", what: `the acknowledged operation left generation ${String(before.generation)}` }
      : { state: "before" };
  }
  const [name, expected] = acknowledged ? ["after", after] : ["before", before];
  return {
    kind: "wrong",
    what: `neither the state before nor after; from the one ${name} it, ${difference(observation, expected)}`,
  };
}
