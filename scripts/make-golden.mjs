#!/usr/bin/env node
/**
 * Writes the golden indexes of the current format version below index-data/golden: one of texts and one of vectors for
 * each number of bits, with what they answer. They are made once a format version and stay as they are: tests of this and
 * of later versions open them.
 *
 *   npm run build && node scripts/make-golden.mjs
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Random } from "../dist/common/random.js";
import { Catalog } from "../dist/documents/catalog.js";
import { CATALOG_VERSION } from "../dist/documents/schema.js";
import { Index } from "../dist/engine/index.js";
import { projectRoot, say } from "./lib/project.mjs";

const DIM = 16;
const WORDS = 40;

const random = new Random(2026);
const gauss = () => random.normal();
const words = Array.from({ length: WORDS }, () => Array.from({ length: DIM }, gauss));

/** Token vectors near those of their words, and the words as vocabulary ids. */
function tokens(count, from, to) {
  const tokenIds = Array.from({ length: count }, () => from + random.below(to - from));
  const vectors = tokenIds.map((word) => words[word].map((x) => Number((x + 0.3 * gauss()).toFixed(4))));
  return { vectors, tokenIds };
}

async function vectorIndex(folder, nbits) {
  const document = (id, from, to, more = {}) => ({
    id,
    text: `text of ${id}`,
    ...tokens(12, from, to),
    ...more,
  });
  await (await Index.create(folder, { model: null, dim: DIM, nbits })).close();
  const index = await Index.open(folder, { compaction: "off" });
  const many = (prefix, count, from, to) =>
    Array.from({ length: count }, (_, i) => document(`${prefix}${i}`, from, to, { metadata: { i, prefix } }));
  await index.addEmbeddings(many("a", 20, 0, 24));
  await index.addEmbeddings(many("b", 10, 0, 24));
  await index.delete(["a1", "a2", "b9"]);
  await index.compact({ all: true });
  // Words that the codec has not seen: it is extended.
  await index.addEmbeddings(many("c", 10, 20, WORDS));
  await index.addEmbeddings([document("a5", 0, 10, { title: "replaced", url: "https://example.org/a5" })]);
  await index.update([{ id: "b3", metadata: { changed: true } }]);
  await index.delete(["c4"]);
  const queries = [0, 10, 30].map((from) => tokens(5, from, from + 10).vectors);
  const answers = [];
  for (const vectors of queries) {
    for (const tuning of [{ effort: "exact" }, { exhaustiveTokens: 0 }]) {
      const { hits } = await index.searchEmbeddings(vectors, { k: 8, ...tuning });
      answers.push({
        vectors,
        tuning,
        hits: hits.map(({ id, score, metadata }) => ({ id, score, metadata })),
      });
    }
  }
  return { index, answers };
}

async function textIndex(folder) {
  const note = (name, title, text) => ({ id: name, title, text, source: { path: `/notes/${name}` } });
  await (await Index.create(folder, {})).close();
  const index = await Index.open(folder, { compaction: "off" });
  await index.add([
    note("bees.md", "Bees", "Honeybees swarm when the hive gets crowded and a new queen is about to hatch."),
    note("tea.md", "Tea", "Green tea tastes bitter when the water is too hot. 70 degrees are enough."),
    note(
      "ships.md",
      "Ships",
      "A ship floats because it displaces water that weighs as much as the ship does.",
    ),
    note("rust.txt", "Rust", "Iron rusts when oxygen and water reach it. Paint keeps both away."),
  ]);
  await index.add([note("tea.md", "Tea", "Black tea wants boiling water and four minutes.")]);
  await index.delete(["rust.txt"]);
  remember(folder, ["bees.md", "ships.md", "tea.md"]);
  const turtle = { title: "Żółw", metadata: { year: 2024, tags: ["a"] } };
  await index.add([{ id: "żółw", text: "Turtles carry their home on their back. 🐢", ...turtle }]);
  const answers = [];
  for (const query of ["why do honeybees swarm?", "how hot must water for tea be?", "who carries a house?"]) {
    const { hits } = await index.search(query, { k: 3 });
    answers.push({ query, hits: hits.map(({ id, score, metadata }) => ({ id, score, metadata })) });
  }
  return { index, answers };
}

/** Files that a sync would have recorded; a real one would record the paths and times of this machine. */
function remember(folder, names) {
  const catalog = Catalog.open(folder, { readOnly: false });
  const file = { rootNo: 1, size: 80, modified: Date.UTC(2026, 0, 1), sha256: "5a".repeat(32) };
  catalog.commit({
    operation: "sync",
    roots: { add: [{ rootNo: 1, path: "/notes", prefix: "", options: { hidden: true } }], drop: [] },
    sources: { add: names.map((name) => ({ ...file, path: `/notes/${name}` })), drop: [] },
  });
  catalog.close();
}

async function write(name, make) {
  const target = join(projectRoot, "index-data", "golden", `v${CATALOG_VERSION}-${name}`);
  if (existsSync(target)) {
    say(
      `${target} is there; a released format is never written again. Remove it first if it was not released.`,
    );
    process.exitCode = 1;
    return;
  }
  const work = mkdtempSync(join(tmpdir(), "maxsim-golden-"));
  try {
    const folder = join(work, "index");
    const { index, answers } = await make(folder);
    const { documents, passages, tokens: count, centroids, generation } = index.info();
    const listed = (await index.list()).map(({ id, text, title, url, metadata }) => ({
      id,
      text,
      title,
      url,
      metadata,
    }));
    // A copy of what the newest generation names, and nothing else.
    await index.backup(target);
    await index.close();
    rmSync(join(target, "history.log"), { force: true });
    const expected = {
      info: { documents, passages, tokens: count, centroids, generation },
      documents: listed,
      answers,
    };
    writeFileSync(join(target, "expected.json"), `${JSON.stringify(expected, undefined, 1)}\n`);
    say(`wrote ${target}`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

for (const nbits of [1, 2, 4]) await write(`vectors-${nbits}bit`, (folder) => vectorIndex(folder, nbits));
await write("texts", textIndex);
