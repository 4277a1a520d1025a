// What the demo indexes: the Markdown files of the installed packages, or a folder of the user's.

import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { readCorpus } from "../../dist/index.js";
import { walkFiles } from "../../dist/text/walk.js";

/** Keeps the first run short on a machine with more packages than this project installs. */
const MAX_FILES = 600;
/** Licences, and translations such as README.pt-BR.md: the same text once more for every package or language. */
const SKIPPED =
  /(?:^|\/)(?:licen[cs]e|copying|authors|code_of_conduct|change(?:log|s)|history)[^/]*$|\.[a-z]{2}(?:-[a-z]{2})?\.md$/i;

/**
 * @typedef {object} Corpus
 * @property {string} what for messages
 * @property {string} fingerprint changes with the files; an index of another fingerprint is built again
 * @property {number} files
 * @property {(options: {signal: AbortSignal}) => AsyncGenerator<import("../../dist/index.js").DocumentInput>} documents
 */

/**
 * Markdown files below `node_modules`, in a fixed order: READMEs first, then by name. The id of a document is its
 * path below that folder.
 *
 * @param {string} root folder of the checkout
 * @returns {Corpus}
 */
export function packageDocs(root) {
  const folder = join(root, "node_modules");
  const found = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => /\.md$/i.test(path) && !/(?:^|\/)\./.test(path) && !SKIPPED.test(path));
  const isReadme = (/** @type {string} */ path) => /(?:^|\/)readme\.md$/i.test(path);
  const order = (/** @type {string} */ path) => `${isReadme(path) ? 0 : 1}${path}`;
  const paths = found.sort((a, b) => (order(a) < order(b) ? -1 : 1)).slice(0, MAX_FILES);
  const hash = createHash("sha256");
  for (const path of paths) hash.update(`${JSON.stringify(path)} `).update(readFileSync(join(folder, path)));
  const limit = found.length > paths.length ? `${paths.length} of the ${found.length}` : `${paths.length}`;
  return {
    what: `${limit} Markdown files of the packages in node_modules`,
    fingerprint: hash.digest("hex"),
    files: paths.length,
    async *documents(options) {
      // One file a call: many named files would have to differ in their base names.
      for (const id of paths) {
        for await (const item of readCorpus([join(folder, id)], options)) {
          if (item.kind === "document") yield { ...item.document, id };
        }
      }
    },
  };
}

/**
 * Everything that `maxsim index` reads below a path of the user's.
 *
 * @param {string} path
 * @returns {Promise<Corpus>}
 */
export async function ownDocs(path) {
  const root = resolve(path);
  const hash = createHash("sha256");
  let files = 0;
  for await (const file of walkFiles([root])) {
    hash.update(`${file.kind} ${JSON.stringify(file.path)} `);
    if (file.kind !== "file") continue;
    files++;
    hash.update(`${file.size} ${statSync(file.path).mtimeMs}\n`);
  }
  return {
    what: `${files} files in ${root}`,
    fingerprint: hash.digest("hex"),
    files,
    async *documents(options) {
      for await (const item of readCorpus([root], { ...options, skipInvalid: true })) {
        if (item.kind === "document") yield item.document;
      }
    },
  };
}
