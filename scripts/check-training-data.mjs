/**
 * Runs check-training-data.py with the Python of MAXSIM_PYTHON, or python3.
 *
 *   node scripts/check-training-data.mjs FOLDER
 *
 * Exit status: 0 when the data is sound, or when it cannot be checked here, which is said with the reason; 1 when it is not sound.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const MISSING = 3;
const [folder] = process.argv.slice(2);
if (folder === undefined) {
  process.stderr.write("usage: node scripts/check-training-data.mjs FOLDER\n");
  process.exit(2);
}
const python = process.env.MAXSIM_PYTHON ?? "python3";
const script = fileURLToPath(new URL("check-training-data.py", import.meta.url));
const { status, error } = spawnSync(python, [script, folder], { stdio: "inherit" });
if (error !== undefined) process.stdout.write(`skipped: ${python} cannot be run: ${error.message}\n`);
process.exitCode = error !== undefined || status === MISSING || status === 0 ? 0 : 1;
