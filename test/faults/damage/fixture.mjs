/** Small indexes with everything in them, and what they answer at each generation. */
import { cpSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { Random } from "../lib/random.mjs";
import { writeTinyModel } from "../lib/tiny-model.mjs";
import { observe } from "./observe.mjs";

const { Index } = await import(new URL("../../../dist/index.js", import.meta.url));
const { default: Database } = await import("better-sqlite3");

export const DIM = 8;

/** Unit rows, f32 `[tokens][DIM]`. */
export function randomVectors(random, tokens) {
  const rows = Float32Array.from({ length: tokens * DIM }, () => random.normal());
  for (let t = 0; t < tokens; t++) {
    const row = rows.subarray(t * DIM, (t + 1) * DIM);
    const norm = Math.hypot(...row);
    row.forEach((x, d) => {
      row[d] = x / norm;
    });
  }
  return rows;
}

function embedded(random, id, tokens, more = {}) {
  return { id, vectors: randomVectors(random, tokens), text: `vectors of ${id}`, ...more };
}

const TEXTS = [
  {
    id: "long",
    text: "the cat sat on the mat\n\nthe dog runs fast and the cat runs on\n\nsearch an index of tokens, token by token",
    title: "cats",
    metadata: { topic: "animals", year: 2001, tags: ["cat", "dog"] },
  },
  { id: "dog", text: "the dog runs fast", url: "https://example.org/dog", metadata: { topic: "animals" } },
  { id: "empty", text: "" },
  { id: "file", text: "search the index fast", source: { path: "/notes/search.md", line: 3 } },
  { id: "ünïcode 日本", text: "mat \u{1f600} mat", metadata: { nested: { a: [1, null, "x"] } } },
];

/** What each generation after the creation does. */
/** @param {string} notes a folder of files, for indexes that can follow one */
function changes(seed, notes) {
  const random = new Random(seed);
  return [
    (index) => index.add(TEXTS),
    (index) =>
      index.addEmbeddings([
        embedded(random, "v1", 4, { metadata: { n: 1 } }),
        embedded(random, "v2", 1),
        embedded(random, "v3", 6, { title: "three" }),
        { id: "v4", vectors: [], text: "no vectors" },
      ]),
    (index) =>
      index.addEmbeddings([
        embedded(random, "dog", 3, { metadata: { topic: "replaced" } }),
        embedded(random, "v5", 2),
      ]),
    (index) => index.delete(["v2", "file"]),
    (index) =>
      index.update([
        { id: "long", title: "cats and dogs", metadata: { topic: "animals", year: 2002 } },
        { id: "v3", url: "https://example.org/3" },
      ]),
    (index) => index.sync([notes]),
  ];
}

/** Every file below a folder, relative, sorted. */
export function filesOf(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}

/** Calls `work` while logs of catalogs stay as they are, as they do when a process dies after a commit. */
export async function withoutCheckpoints(work) {
  const { pragma } = Database.prototype;
  Database.prototype.pragma = function (text, options) {
    return /wal_checkpoint/.test(text) ? [{ busy: 0 }] : pragma.call(this, text, options);
  };
  try {
    return await work();
  } finally {
    Database.prototype.pragma = pragma;
  }
}

/** Copies an index; the shared memory of its catalog stays behind, as at a restart of the machine. */
export function copyIndex(from, to) {
  rmSync(to, { recursive: true, force: true });
  cpSync(from, to, { recursive: true, filter: (path) => !path.endsWith("-shm") });
}

/**
 * Builds in `folder`:
 *   model/            the model
 *   states/<g>/       the index at generation g, 0 ..
 *   compacted/        what compaction makes of the newest generation, superseded files still beside it
 *   logged/           the newest generation, of which the last two commits are still in the log
 *   namesake/         another index with the same settings, hence the same index id
 *   stranger/         an index with other settings
 *
 * @returns {Promise<{ folder: string, index: string, generations: number, questions: object, goldens: unknown[] }>} `index`: the
 *   newest state; `goldens`: what `observe` gives, the newest generation first; `compacted`: what it gives for the
 *   compacted index.
 */
export async function buildFixture(folder, { nbits = 4, seed = 1 } = {}) {
  mkdirSync(join(folder, "model"), { recursive: true });
  await writeTinyModel(join(folder, "model"), DIM);
  mkdirSync(join(folder, "notes"));
  writeFileSync(join(folder, "notes", "walk.md"), "# Walking\n\nthe dog runs on\n");
  const random = new Random(seed + 100);
  const queries = [3, 1, 5].map((tokens) => randomVectors(random, tokens));
  const questions = { queries, ids: ["long", "dog", "empty", "ünïcode 日本", "v1", "v2", "v4", "nobody"] };
  const options = { model: join(folder, "model"), nbits, threads: 1, compaction: "off" };

  const work = join(folder, "work");
  const state = (name) => join(folder, "states", String(name));
  const steps = changes(seed, join(folder, "notes"));
  await (await Index.create(work, options)).close();
  copyIndex(work, state(0));
  for (const [g, change] of steps.entries()) {
    const index = await Index.open(work, { threads: 1, compaction: "off" });
    await change(index);
    await index.close();
    copyIndex(work, state(g + 1));
  }
  const goldens = [];
  for (let g = steps.length; g >= 0; g--) {
    copyIndex(state(g), work);
    goldens.push(await observe(work, questions));
  }

  // The vectors of the second to last steps depend on how far the generator is, so all steps are made again.
  rmSync(work, { recursive: true });
  await (await Index.create(work, options)).close();
  const again = changes(seed, join(folder, "notes"));
  const index = await Index.open(work, { threads: 1, compaction: "off" });
  for (const change of again.slice(0, -2)) await change(index);
  await withoutCheckpoints(async () => {
    for (const change of again.slice(-2)) await change(index);
    copyIndex(work, join(folder, "logged"));
  });
  await index.close();

  copyIndex(state(steps.length), work);
  const merging = await Index.open(work, { threads: 1 });
  await merging.compact({ all: true });
  await merging.close();
  copyIndex(work, join(folder, "compacted"));
  const compacted = await observe(work, questions);

  for (const [name, more] of [
    ["namesake", {}],
    ["stranger", { seed: 43 }],
  ]) {
    const other = await Index.create(join(folder, name), { ...options, ...more });
    for (const change of changes(seed + 7, join(folder, "notes"))) await change(other);
    await other.close();
  }
  rmSync(work, { recursive: true });
  return {
    folder,
    nbits,
    index: state(steps.length),
    generations: steps.length,
    questions,
    goldens,
    compacted,
  };
}

/** Bytes of all files of a folder. */
export function bytesOf(folder) {
  return filesOf(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}
