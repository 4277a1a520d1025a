/** Where the project is, and copies of its compiled code. */
import { cpSync, existsSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const projectRoot = fileURLToPath(new URL("../../../", import.meta.url)).replace(/[\\/]$/, "");

const BESIDE_DIST = ["node_modules", "native-bindings", "index-data", "package.json"];

/**
 * Copies dist/ into `folder`, so that a build that runs meanwhile changes nothing, and applies patches to the copy.
 * @param {readonly { file: string, find: string, replace: string }[]} patches `file` is relative to dist/; `find` must occur
 *   there exactly once.
 * @returns {string} the copied dist/.
 */
export function copyDist(folder, patches = []) {
  const from = join(projectRoot, "dist");
  if (!existsSync(join(from, "index.js"))) throw new Error(`${from} is missing: run npm run build`);
  const to = join(folder, "dist");
  cpSync(from, to, { recursive: true, filter: (path) => !/\.(d\.ts|map|tsbuildinfo)$/.test(path) });
  for (const name of BESIDE_DIST) symlinkSync(join(projectRoot, name), join(folder, name));
  for (const { file, find, replace } of patches) {
    const path = join(to, file);
    const parts = readFileSync(path, "utf8").split(find);
    if (parts.length !== 2) {
      throw new Error(
        `dist/${file} has ${parts.length - 1} times ${JSON.stringify(find)}, expected once: adapt the patch`,
      );
    }
    writeFileSync(path, parts.join(replace));
  }
  return to;
}
