// Fingerprints of sources by content (a clone or a branch switch changes every modification time), and the stamps
// that remember which sources an output was made from.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * Files below `folder`, sorted, as paths relative to it with forward slashes; none when it does not exist.
 *
 * @param {string} folder
 * @param {readonly string[]} [skip] names of top-level entries to leave out
 * @returns {string[]}
 */
export function listFiles(folder, skip = []) {
  if (!existsSync(folder)) return [];
  const found = [];
  const pending = [""];
  for (let prefix = pending.pop(); prefix !== undefined; prefix = pending.pop()) {
    for (const entry of readdirSync(join(folder, prefix), { withFileTypes: true })) {
      const path = `${prefix}${entry.name}`;
      if (skip.includes(path)) continue;
      if (entry.isDirectory()) pending.push(`${path}/`);
      else found.push(path);
    }
  }
  return found.sort();
}

/**
 * SHA-256 over names and contents, and whatever else decides what is built.
 *
 * @param {string} root
 * @param {readonly string[]} files relative to `root`; a missing file counts as such
 * @param {readonly string[]} [facts] such as the platform
 */
export function fingerprint(root, files, facts = []) {
  const hash = createHash("sha256");
  for (const fact of facts) hash.update(`fact ${JSON.stringify(fact)}\n`);
  for (const file of files) {
    const path = join(root, file);
    const content = existsSync(path) ? readFileSync(path) : undefined;
    hash.update(`file ${JSON.stringify(file)} ${content?.length ?? "missing"}\n`);
    if (content !== undefined) hash.update(content);
  }
  return hash.digest("hex");
}

/** @param {string} root @param {string} name */
function stampPath(root, name) {
  return join(root, ".cache", "bootstrap", name);
}

/** @param {string} root @param {string} name @returns {string | undefined} */
export function readStamp(root, name) {
  const path = stampPath(root, name);
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}

/** Written by renaming: a reader sees the old stamp or the new one. @param {string} root @param {string} name @param {string} value */
export function writeStamp(root, name, value) {
  const path = stampPath(root, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.${process.pid}`, value);
  renameSync(`${path}.${process.pid}`, path);
}

/** To be removed before the work starts: work cut short must be done again. @param {string} root @param {string} name */
export function removeStamp(root, name) {
  rmSync(stampPath(root, name), { force: true });
}
