// Indexes of collections below .cache/quality: built once with the library, reused while the collection and the code
// that decides what is in an index stay the same.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Catalog } from "../../dist/documents/catalog.js";
import { Index } from "../../dist/engine/index.js";
import { projectRoot, say } from "./project.mjs";

export const CACHE = join(projectRoot, ".cache", "quality");

/** Modules whose code decides the bytes of an index. */
const DECIDING = ["codec", "documents", "indexing", "kernels", "models", "storage", "text"];

/**
 * @typedef {object} MeasuredIndex
 * @property {string} folder
 * @property {number} seconds that building it took
 * @property {number} processorSeconds of all threads together: what neighbours on the machine took is not in it
 */

/**
 * The index of a collection with default options and `nbits`.
 *
 * @param {import("./collections.mjs").Collection} collection
 * @param {1 | 2 | 4} nbits
 * @param {{rebuild?: boolean}} [options] `rebuild`: build it also when it is there
 * @returns {Promise<MeasuredIndex>}
 */
export async function measuredIndex(collection, nbits, options = {}) {
  const folder = join(CACHE, `${collection.name}-${nbits}bit`);
  const record = `${folder}.json`;
  const key = createHash("sha256").update(collection.fingerprint).update(codeFingerprint()).digest("hex");
  const known = options.rebuild ? undefined : readJson(record);
  if (known?.key === key && (await isWhole(folder)))
    return { folder, seconds: known.seconds, processorSeconds: known.processorSeconds };

  rmSync(record, { force: true });
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(CACHE, { recursive: true });
  say(`building ${folder}`);
  const index = await Index.create(folder, { nbits });
  try {
    await index.warm();
    const started = performance.now();
    const before = process.cpuUsage();
    await index.add(collection.documents());
    const { user, system } = process.cpuUsage(before);
    const measured = {
      seconds: (performance.now() - started) / 1000,
      processorSeconds: (user + system) / 1e6,
    };
    writeFileSync(record, JSON.stringify({ key, ...measured }));
    return { folder, ...measured };
  } finally {
    await index.close();
  }
}

/** Opening reads every file and checks its sum. */
async function isWhole(folder) {
  if (!existsSync(folder)) return false;
  try {
    await (await Index.open(folder)).close();
    return true;
  } catch (error) {
    say(`${folder} is built again: ${error.message}`);
    return false;
  }
}

/** SHA-256 of the compiled code that decides the bytes of an index, hexadecimal. */
export function codeFingerprint(modules = DECIDING) {
  const hash = createHash("sha256");
  for (const module of modules) {
    const folder = join(projectRoot, "dist", module);
    const files = readdirSync(folder, { recursive: true }).filter((file) => file.endsWith(".js"));
    for (const file of files.sort()) hash.update(file).update(readFileSync(join(folder, file)));
  }
  return hash.digest("hex");
}

/** @param {string} path @returns {any} undefined when there is no such file */
export function readJson(path) {
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : undefined;
}

/**
 * Passages of an index as the encoder read them, in order, and the ids of the documents.
 *
 * @param {string} folder
 */
export function indexedPassages(folder) {
  const catalog = Catalog.open(folder, { readOnly: true });
  try {
    const snapshot = catalog.snapshot();
    const documents = catalog.listDocuments(snapshot, { offset: 0, limit: snapshot.documents });
    const passages = [];
    for (const [d, document] of documents.entries()) {
      const numbers = Array.from({ length: document.passages }, (_, i) => document.firstPassage + i);
      for (const { start, end, context, tokens } of catalog.passages(numbers).values()) {
        const text = `${context} ${document.text.slice(start, end)}`.trim();
        // Passages without token vectors are in the catalog only: nothing scores them.
        passages.push({ document: d, text: tokens === 0 ? "" : text });
      }
    }
    return {
      ids: documents.map(({ id }) => id),
      passages,
      tokens: snapshot.tokens,
      /** Bytes of titles and texts in UTF-8. */
      textBytes: documents.reduce(
        (sum, { text, title = "" }) => sum + Buffer.byteLength(text) + Buffer.byteLength(title),
        0,
      ),
    };
  } finally {
    catalog.close();
  }
}

/** Bytes of all files in a folder and below. @param {string} folder */
export function folderBytes(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}
