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
      return `document ${document.id} is ${short(comparable)}, expected ${short(document)}`;
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

/**
 * True when two observations say the same, to the last bit of every score. Their generations may differ: a write may be
 * followed by merges of segments, which are commits of their own and change nothing that can be seen.
 */
export function sameContent({ generation: _, ...a }, { generation: __, ...b }) {
  return isDeepStrictEqual(a, b);
}

/** Where two observations differ, for a message. */
export function difference(found, expected) {
  if (found.missing || expected.missing) return `found ${short(found)}, expected ${short(expected)}`;
  for (const key of ["problems", "documents", "answers", "generation"]) {
    if (isDeepStrictEqual(found[key], expected[key])) continue;
    return `${key}: found ${short(found[key])}, expected ${short(expected[key])}`;
  }
  return "no difference";
}

function short(value) {
  return String(JSON.stringify(value)).slice(0, MAX_SHOWN);
}

/**
 * @param {object} observation
 * @param {{ before: object, after: object, acknowledged: number | undefined }} expected `before` has the generation that was
 *   acknowledged last; `acknowledged` is that of the operation itself.
 * @returns {{ state: "before" | "after" } | { kind: "lost" | "wrong", what: string }}
 */
export function judge(observation, { before, after, acknowledged }) {
  const generation = observation.generation ?? -1;
  const oldest = acknowledged ?? before.generation ?? -1;
  if (generation < oldest) {
    return { kind: "lost", what: `generation ${oldest} was acknowledged, found ${generation}` };
  }
  // An operation that changes nothing to see has happened when there is a new generation.
  const visible = !sameContent(before, after);
  const moved = generation > (before.generation ?? -1) || acknowledged !== undefined;
  if (sameContent(observation, after) && (moved || visible)) return { state: "after" };
  if (sameContent(observation, before)) {
    if (acknowledged === undefined) return { state: "before" };
    return { kind: "lost", what: `the operation was acknowledged as generation ${acknowledged}` };
  }
  const [name, expected] = acknowledged === undefined ? ["before", before] : ["after", after];
  return {
    kind: "wrong",
    what: `neither the state before nor after; from the one ${name} it, ${difference(observation, expected)}`,
  };
}
