// The index of the demo: opened when it is whole and made from the same files, built otherwise.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ProgressRenderer } from "../../dist/cli/render/progress.js";
import { Index, isMaxsimError, MaxsimError, version } from "../../dist/index.js";

/** Lies in the index folder and says what the index was made from; also the sign that the demo owns the folder. */
const STAMP = "demo.json";

/** Errors that building again mends. */
const MENDABLE = new Set(["INDEX_NOT_FOUND", "CORRUPT", "FORMAT_TOO_NEW", "MODEL_MISMATCH"]);

/**
 * @param {string} folder
 * @param {import("./demo-corpus.mjs").Corpus} corpus
 * @param {{rebuild: boolean, context: import("../../dist/cli/context.js").CommandContext}} options
 * @returns {Promise<{index: Index, reused: boolean}>} ready to search, model loaded
 */
export async function openOrBuild(folder, corpus, { rebuild, context }) {
  const say = (/** @type {string} */ text) => context.stderr.write(`${text}\n`);
  const found = readStamp(folder);
  const reason = rebuild ? "--rebuild" : whyNot(found, corpus);
  if (reason === undefined) {
    try {
      return { index: await openWhole(folder), reused: true };
    } catch (error) {
      if (!isMaxsimError(error) || !MENDABLE.has(error.code)) throw error;
      say(`The index in ${folder} cannot be used: ${error.message}. Building it again.`);
    }
  } else if (found !== undefined) {
    say(`Building the index again: ${reason}.`);
  }
  await build(folder, corpus, context);
  return { index: await openWhole(folder), reused: false };
}

/**
 * The first search starts threads and loads the model; the demo times the ones after it.
 *
 * @param {string} folder
 */
async function openWhole(folder) {
  const index = await Index.open(folder);
  try {
    await index.search("ready?", { k: 1 });
  } catch (error) {
    await index.close();
    throw error;
  }
  return index;
}

/**
 * @param {string} folder
 * @param {import("./demo-corpus.mjs").Corpus} corpus
 * @param {import("../../dist/cli/context.js").CommandContext} context
 */
async function build(folder, corpus, context) {
  clear(folder);
  const stamp = { version, fingerprint: corpus.fingerprint, complete: false };
  writeStamp(folder, stamp);
  const index = await Index.create(folder);
  const progress = new ProgressRenderer({ stream: context.stderr, env: context.env });
  try {
    const { signal } = context;
    await index.add(corpus.documents({ signal }), {
      signal,
      onProgress: (event) => progress.update(event),
    });
  } finally {
    progress.finish();
    await index.close();
  }
  writeStamp(folder, { ...stamp, complete: true });
}

/** Empties a folder that the demo made; what anybody else put there is not touched. @param {string} folder */
function clear(folder) {
  if (existsSync(folder) && readdirSync(folder).length > 0 && !existsSync(join(folder, STAMP))) {
    throw new MaxsimError("INDEX_EXISTS", `${folder} holds files that the demo did not make`, {
      hint: "Move them somewhere else, or delete the folder.",
    });
  }
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
}

/** @typedef {{version: string, fingerprint: string, complete: boolean}} Stamp */

/** @param {string} folder @returns {Stamp | undefined} */
function readStamp(folder) {
  const path = join(folder, STAMP);
  if (!existsSync(path)) return undefined;
  const text = readFileSync(path, "utf8");
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { version: "", fingerprint: "", complete: false };
  }
}

/** @param {string} folder @param {Stamp} stamp */
function writeStamp(folder, stamp) {
  writeFileSync(join(folder, STAMP), `${JSON.stringify(stamp)}\n`);
}

/** @param {Stamp | undefined} found @param {import("./demo-corpus.mjs").Corpus} corpus */
function whyNot(found, corpus) {
  if (found?.complete !== true) return "the last run was interrupted";
  if (found.version !== version) return `it was made by version ${found.version || "(unknown)"}`;
  if (found.fingerprint !== corpus.fingerprint) return "the files have changed";
  return undefined;
}
