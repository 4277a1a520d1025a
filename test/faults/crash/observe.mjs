/** What can be seen of an index: its documents, its answers, what its checks say, and its files. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { vectorsOf } from "./documents.mjs";

const Database = createRequire(import.meta.url)("better-sqlite3");

/** Loads the package from a copied dist/. */
export async function loadPackage(dist) {
  const load = (path) => import(pathToFileURL(join(dist, path)).href);
  const [{ Index }, { Catalog }, { repairIndex }] = await Promise.all([
    load("engine/index.js"),
    load("documents/catalog.js"),
    load("engine/repair.js"),
  ]);
  return { Index, Catalog, repairIndex };
}

/** Ids that are asked for by their own vectors, in versions that may or may not be the stored ones. */
export const ASKED = [
  ["d0", 1],
  ["d1", 2],
  ["d3", 1],
  ["d7", 3],
];
const QUESTIONS = ["cat sat on the mat", "fast dog running", "search index token"];
const EVERYTHING = 10_000;
const EXACT = { k: EVERYTHING, effort: "exact" };

/** The answer to one of ASKED, with the generation that gave it. */
export async function exactAnswer(index, query) {
  const { generation, hits } = await index.searchEmbeddings(vectorsOf(...query), EXACT);
  return { generation, hits: hits.map(({ id, score }) => [id, score]) };
}

/**
 * @returns {Promise<object>} `{ missing: true }` without an index; else plain JSON that is equal for equal states. Damage is
 *   thrown.
 */
export async function observe({ Index, Catalog }, folder, model) {
  let index;
  try {
    index = await Index.open(folder, { threads: 1 });
  } catch (error) {
    if (error.code === "INDEX_NOT_FOUND") return { missing: true };
    throw error;
  }
  try {
    const { generation, documents: count } = index.info();
    const problems = [];
    const catalog = Catalog.open(folder, { readOnly: true });
    let documents;
    try {
      problems.push(...catalog.verify());
      documents = catalog
        .listDocuments(catalog.snapshot(), { offset: 0, limit: EVERYTHING })
        .map(({ id, text, title, url, metadata }) => ({ id, text, title, url, metadata }));
    } finally {
      catalog.close();
    }
    for (const { id, text } of documents) {
      const found = await index.get(id);
      if (found?.text !== text) problems.push(`get(${JSON.stringify(id)}) does not give the listed document`);
    }
    if (documents.length !== count)
      problems.push(`${documents.length} documents are listed, ${count} counted`);
    const answers = {};
    for (const [name, options] of [
      ["exact", EXACT],
      ["pruned", { k: 3, exhaustiveTokens: 0 }],
    ]) {
      answers[name] = [];
      const asked = count === 0 ? [] : model === null ? ASKED : QUESTIONS;
      for (const query of asked) {
        const { hits } =
          model === null
            ? await index.searchEmbeddings(vectorsOf(...query), options)
            : await index.search(query, options);
        answers[name].push(hits.map(({ id, score }) => [id, score]));
      }
    }
    if (typeof index.verify === "function") {
      const report = await index.verify();
      problems.push(...report.problems.map((problem) => JSON.stringify(problem)));
    }
    return { generation, documents, answers, problems };
  } finally {
    await index.close();
  }
}

/** Names that belong to an index without being recorded in its catalog. */
const OWN =
  /^(catalog\.sqlite(-wal|-shm)?|write\.lock|history\.log|snapshots(\/\d+\.lock)?|segments|codecs)$/;

/** Files in the folder that neither the catalog names nor an index always has; sorted. */
export function strayFiles(folder) {
  const path = join(folder, "catalog.sqlite");
  const found = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => !OWN.test(name));
  if (!existsSync(path) || statSync(path).size === 0) return found.sort();
  const db = new Database(path, { readonly: true });
  try {
    const named = new Set(
      db.prepare("SELECT name FROM segments UNION SELECT name FROM codecs").pluck().all(),
    );
    return found.filter((name) => !named.has(name)).sort();
  } finally {
    db.close();
  }
}
