/** One operation at a time on an index that others made: what is killed and failed at every call. */
import { cpSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { writeTinyModel } from "../lib/tiny-model.mjs";
import { contradiction } from "./judge.mjs";

const ids = (first, count) => Array.from({ length: count }, (_, i) => `d${first + i}`);
const CREATE = { op: "create" };
const TWELVE = { op: "add", ids: ids(0, 12), version: 1 };
const REPLACING = { op: "add", ids: ["d3", "d12", "d13"], version: 2 };
const DELETING = { op: "delete", ids: ["d1", "d12"] };
const MANY = [CREATE, TWELVE, REPLACING, DELETING, { op: "add", ids: ids(20, 3), version: 1 }];
const SMALL_NOTES = { "a.md": "cat sat on the mat\n", "b.md": "fast dog\n", "c.md": "search the index\n" };

/** `text`: with a model; the others bring vectors. */
const SCENARIOS = [
  { name: "create", base: [], operation: CREATE },
  { name: "first add", base: [CREATE], operation: TWELVE },
  { name: "add", base: [CREATE, TWELVE], operation: REPLACING },
  { name: "delete", base: [CREATE, TWELVE, REPLACING], operation: DELETING },
  {
    name: "update",
    base: [CREATE, TWELVE, REPLACING],
    operation: { op: "update", ids: ["d0", "d13"], version: 5 },
  },
  { name: "compact", base: MANY, operation: { op: "compact", options: { all: true } } },
  {
    name: "compact and remove",
    base: MANY,
    operation: { op: "compact", options: { all: true, graceMs: 0 } },
  },
  { name: "recluster", base: MANY, operation: { op: "compact", options: { recluster: true } } },
  {
    name: "build with a model",
    base: [CREATE],
    operation: { op: "add", ids: ids(0, 6), version: 1 },
    text: true,
  },
  {
    name: "sync",
    base: [CREATE, { op: "sync", files: SMALL_NOTES }],
    operation: {
      op: "sync",
      files: { "a.md": "the cat is running\n", "b.md": null, "d.md": "dogs and cats\n" },
    },
    text: true,
  },
];

/**
 * Builds the base of every scenario that this build can do, and the states before and behind its operation.
 * @param {string} root a folder that takes everything.
 * @param {import("./observer-process.mjs").ObserverProcess} observer
 * @param {(name: string) => boolean} wanted
 * @returns {Promise<{ ready: object[], skipped: string[] }>} each with `name`, `place` (the base's folders), `operation`,
 *   `operations`, `before` and `after`.
 */
export async function prepareScenarios(root, observer, wanted = () => true) {
  const ready = [];
  const skipped = [];
  const model = join(root, "model");
  mkdirSync(model, { recursive: true });
  await writeTinyModel(model);
  for (const { name, base, operation, text = false } of SCENARIOS) {
    if (!wanted(name)) continue;
    const operations = [...base, operation];
    const reason = await observer.missing(operations);
    if (reason !== null) {
      skipped.push(`${name}: ${reason}`);
      continue;
    }
    // The files keep their place, which the index records, wherever the index is copied to.
    const notes = join(root, "notes", name);
    const place = newPlace(join(root, "base", name.replaceAll(" ", "-")), text ? model : null, notes);
    await observer.perform(place, base);
    const before = await observer.observe(place);
    const healthy = copyPlace(place, join(root, "healthy"));
    await observer.perform(healthy, [operation]);
    const after = await observer.observe(healthy);
    for (const [state, done] of [
      [before, base],
      [after, operations],
    ]) {
      const problem = contradiction(state, done);
      if (problem !== undefined) throw new Error(`${name}, undisturbed: ${problem}`);
    }
    ready.push({ name, place, operation, operations, before, after });
  }
  return { ready, skipped };
}

/**
 * Folders for one index: `scratch` holds everything, the index is in `folder`. `model` and `notes`: see operations.mjs; all
 * copies share the notes, which only the first run of an operation changes.
 */
export function newPlace(scratch, model, notes = null) {
  rmSync(scratch, { recursive: true, force: true });
  mkdirSync(scratch, { recursive: true });
  return { scratch, folder: join(scratch, "index"), model, notes };
}

/** A copy in another folder, in place of what is there. */
export function copyPlace({ scratch, model, notes }, to) {
  const place = newPlace(to, model, notes);
  cpSync(scratch, to, { recursive: true });
  return place;
}
