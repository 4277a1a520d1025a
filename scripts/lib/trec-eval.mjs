// trec_eval through its Python binding, in a virtual environment below .cache that is made on demand.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { projectRoot, say } from "./project.mjs";

const FOLDER = join(projectRoot, ".cache", "trec-eval");
/** A build of pytrec_eval with wheels; its trec_eval is 9.0. */
const PACKAGE = "pytrec-eval-terrier==0.5.11";

/** Those that `maxsim eval` reports. */
export const TREC_EVAL_MEASURES = ["ndcg_cut.10", "recip_rank", "recall.10,100", "map", "success.5"];

const PROGRAM = `
import json, sys, pytrec_eval
given = json.load(sys.stdin)
evaluator = pytrec_eval.RelevanceEvaluator(given["qrels"], set(given["measures"]))
json.dump(evaluator.evaluate(given["run"]), sys.stdout)
`;

/** Path of the Python that has it. */
function python() {
  const [folder, name] = process.platform === "win32" ? ["Scripts", "python.exe"] : ["bin", "python"];
  return join(FOLDER, folder, name);
}

/** Why trec_eval cannot be asked now; undefined when it can. Makes nothing. @returns {string | undefined} */
export function missingTrecEval() {
  if (!existsSync(python())) return "no .cache/trec-eval; node scripts/trec-eval.mjs makes it";
  const { status, stderr } = spawnSync(python(), ["-c", "import pytrec_eval"], { encoding: "utf8" });
  return status === 0 ? undefined : `pytrec_eval does not load: ${String(stderr).trim().split("\n").at(-1)}`;
}

/** Makes the environment, where it is not there. @returns {string | undefined} why it could not be made */
export function prepareTrecEval() {
  if (missingTrecEval() === undefined) return undefined;
  for (const [command, ...args] of [
    ["python3", "-m", "venv", FOLDER],
    [python(), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", PACKAGE],
  ]) {
    say([command, ...args].join(" "));
    const { error, status, stderr } = spawnSync(command, args, { encoding: "utf8" });
    if (error !== undefined) return `cannot start ${command}: ${error.message}`;
    if (status !== 0) return `${command} failed: ${String(stderr).trim().split("\n").at(-1)}`;
  }
  return missingTrecEval();
}

/**
 * Values of every query that both have, under trec_eval's names such as ndcg_cut_10.
 *
 * @param {Record<string, Record<string, number>>} qrels query id to document id to grade, whole numbers
 * @param {Record<string, Record<string, number>>} run query id to document id to score
 * @param {readonly string[]} [measures]
 * @returns {Record<string, Record<string, number>>}
 */
export function trecEval(qrels, run, measures = TREC_EVAL_MEASURES) {
  const input = JSON.stringify({ qrels, run, measures });
  const options = { input, encoding: /** @type {const} */ ("utf8"), maxBuffer: 1 << 28 };
  const { status, stdout, stderr } = spawnSync(python(), ["-c", PROGRAM], options);
  if (status !== 0) throw new Error(`trec_eval failed: ${stderr}`);
  return JSON.parse(stdout);
}
