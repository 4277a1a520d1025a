// Packs the project as npm would publish it, looks at what is in the tarball, and uses the package from a folder of its
// own: command line, library and types, offline. Nothing of the checkout is used but its installed dependencies.
//
//   node scripts/check-package.mjs             dependencies linked from node_modules
//   node scripts/check-package.mjs --install   npm install of the tarball, as a user does it; minutes, network
//   node scripts/check-package.mjs --json      one JSON object: {checks: [{name, ok, found}]}
//
// Exit status: 0 when every check holds, 1 otherwise.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { checkContent } from "./lib/package-content.mjs";
import { install, pack, unpack } from "./lib/package-install.mjs";
import { checkUse } from "./lib/package-use.mjs";

const root = join(import.meta.dirname, "..");
const { values } = parseArgs({
  options: { install: { type: "boolean", default: false }, json: { type: "boolean", default: false } },
});

/** @type {Array<{name: string, ok: boolean, found: string}>} */
const checks = [];

/** @param {string} name @param {() => string} look returns what was found, throws when the check does not hold */
function check(name, look) {
  try {
    checks.push({ name, ok: true, found: look() });
  } catch (error) {
    checks.push({ name, ok: false, found: error instanceof Error ? error.message : String(error) });
  }
  const { ok, found } = checks[checks.length - 1];
  if (!values.json) console.log(`${ok ? "ok    " : "FAILED"}  ${name}: ${found}`);
}

const temporary = mkdtempSync(join(tmpdir(), "maxsim-package-"));
try {
  const tarball = pack(root, temporary);
  checkContent(unpack(tarball, join(temporary, "unpacked")), root, check);
  const app = install(tarball, join(temporary, "app"), root, values.install);
  checkUse(app, root, check);
} finally {
  rmSync(temporary, { recursive: true, force: true });
}
if (values.json) console.log(JSON.stringify({ checks }, null, 2));
process.exitCode = checks.every(({ ok }) => ok) ? 0 : 1;
