/**
 * Everything that a reader can ask of an index, as a list of steps with plain results. Two indexes that answer alike give
 * equal lists; a step that throws holds what was thrown.
 */
import { isDeepStrictEqual } from "node:util";

const dist = (path) => import(new URL(`../../../dist/${path}`, import.meta.url));
const { Index } = await dist("index.js");
const { Catalog } = await dist("documents/catalog.js");

/** How each query is asked. k is larger than any fixture, so that the order of all documents is compared. */
const WAYS = [
  { k: 50, effort: "exact" },
  { k: 50, exhaustiveTokens: 0, nprobe: 2 },
  { k: 3, rescore: 3 },
];

/** Searches by words, whose rows carry no checksum: with operators, with a filter, and of words that many passages have. */
const WORDS = [
  ["cat dog", {}],
  ["the dog runs fast", {}],
  ['"runs fast" -cat', {}],
  ["vectors of 日本 tokens", {}],
  ["search index", { filter: "not exists topic" }],
];

/** Filters, which pass over rows without a look at their checksums. */
const FILTERS = [
  "topic = animals",
  "exists title or n >= 1",
  "id in (dog, v1, nobody)",
  "path glob '/notes/*'",
];

/** An error as it is compared and reported. */
export function thrown(error) {
  const maxsim = error instanceof Error && error.name === "MaxsimError";
  return {
    thrown: maxsim ? error.code : (error?.name ?? typeof error),
    maxsim,
    message: String(error?.message ?? error),
    ...(maxsim ? {} : { stack: String(error?.stack ?? "") }),
  };
}

/**
 * @param {string} folder of an index
 * @param {{ queries: Float32Array[], ids: string[] }} questions
 * @returns {Promise<[step: string, result: unknown][]>} what JSON can hold
 */
export async function observe(folder, { queries, ids }) {
  const steps = [];
  const step = async (name, work) => {
    try {
      steps.push([name, await work()]);
    } catch (error) {
      steps.push([name, thrown(error)]);
    }
  };
  let index;
  await step("open", async () => {
    index = await Index.open(folder, { threads: 1 });
  });
  if (index !== undefined) {
    await step("info", () => {
      const { folder: _folder, bytes: _bytes, ...info } = index.info();
      return info;
    });
    for (const [q, query] of queries.entries()) {
      for (const [w, way] of WAYS.entries()) {
        await step(`search ${q} ${w}`, () => index.searchEmbeddings(query, way));
      }
    }
    await step("batch", () => index.searchEmbeddingsBatch(queries, { k: 4 }));
    for (const id of ids) await step(`get ${id}`, async () => (await index.get(id)) ?? null);
    await step("documents", () => index.list({ offset: 1, limit: 5 }));
    for (const [w, [text, more]] of WORDS.entries()) {
      await step(`words ${w}`, () => index.search(text, { mode: "lexical", k: 50, ...more }));
    }
    for (const [f, filter] of FILTERS.entries()) {
      await step(`filter ${f}`, async () => ({
        list: await index.list({ filter }),
        search: await index.searchEmbeddings(queries[0], { k: 50, filter }),
      }));
    }
    await step("close", () => index.close());
  }
  await step("list", () => {
    const catalog = Catalog.open(folder, { readOnly: true });
    try {
      const page = catalog.listDocuments(catalog.snapshot(), { offset: 0, limit: 1000 });
      return page.map((document) => ({
        ...document,
        spans: [...catalog.passages(numbers(document.firstPassage, document.passages)).values()],
      }));
    } finally {
      catalog.close();
    }
  });
  return JSON.parse(JSON.stringify(steps));
}

/** A forged row may state any number of passages. */
const numbers = (first, count) => Array.from({ length: Math.min(count, 100) }, (_, i) => first + i);

/**
 * What a damaged index did, against what the sound one does at each of its generations, the newest first.
 *
 * - "same": every answer is the right one
 * - "refused": what is not right is a MaxsimError that names the file
 * - "rolled back": every answer is that of one older generation
 * - "wrong", "untyped", "unnamed": not allowed; `about` says what is wrong: "answers", else "filters", else "words"
 *
 * @param {RegExp} names what a message has to match
 */
export function classify(steps, goldens, names) {
  for (const [g, golden] of goldens.entries()) {
    if (isDeepStrictEqual(steps, golden)) return { class: g === 0 ? "same" : "rolled back", generation: g };
  }
  const expected = new Map(goldens[0]);
  const wrong = new Map();
  let code;
  let message;
  for (const [name, result] of steps) {
    const right = expected.get(name) ?? null;
    if (isDeepStrictEqual(result ?? null, right)) continue;
    if (result?.thrown === undefined) {
      const about = `${/^(word|filter)/.exec(name)?.[0] ?? "answer"}s`;
      if (!wrong.has(about)) wrong.set(about, { step: name, found: result, expected: right });
      continue;
    }
    if (!result.maxsim || result.thrown === "INTERNAL" || result.thrown === "WORKER_FAILED") {
      return { class: "untyped", step: name, ...result };
    }
    if (!names.test(result.message)) return { class: "unnamed", step: name, ...result };
    code ??= result.thrown;
    message ??= `${name}: ${result.message}`;
  }
  const about = ["answers", "filters", "words"].find((kind) => wrong.has(kind));
  return about === undefined
    ? { class: "refused", code, message }
    : { class: "wrong", about, ...wrong.get(about) };
}
