#!/usr/bin/env node
/**
 * trec_eval's values for a run, to compare with those of `maxsim eval`.
 *
 *   node scripts/trec-eval.mjs                              gets trec_eval, through pip, into .cache/trec-eval
 *   node scripts/trec-eval.mjs QRELS RUN [MEASURE ...]      prints query, measure and value, tab separated
 *
 * QRELS and RUN are TREC files; measures are named as in trec_eval, such as ndcg_cut.10. The exit status is 1 where Python or
 * the package is missing, with the reason.
 */
import { existsSync, readFileSync } from "node:fs";
import { prepareTrecEval, TREC_EVAL_MEASURES, trecEval } from "./lib/trec-eval.mjs";

const [qrelsFile, runFile, ...measures] = process.argv.slice(2);
if (qrelsFile !== undefined && runFile === undefined) {
  console.error("give QRELS and RUN, or nothing; see the head of this script");
  process.exit(2);
}
const problem = prepareTrecEval();
if (problem !== undefined) {
  console.error(problem);
  process.exit(1);
}
if (qrelsFile === undefined || runFile === undefined) {
  console.log("trec_eval is there");
  process.exit(0);
}
const missing = [qrelsFile, runFile].find((file) => !existsSync(file));
if (missing !== undefined) {
  console.error(`${missing} does not exist`);
  process.exit(1);
}

/** Query id to document id to the column that is meant. @param {string} file @param {number} columns @param {number} column */
function read(file, columns, column) {
  /** @type {Record<string, Record<string, number>>} */
  const found = {};
  for (const [i, line] of readFileSync(file, "utf8").split("\n").entries()) {
    const parts = line.trim().split(/\s+/);
    if (line.trim() === "") continue;
    if (parts.length !== columns) throw new Error(`${file}:${i + 1}: ${columns} columns were expected`);
    const [query = "", , document = ""] = parts;
    found[query] ??= {};
    found[query][document] = Number(parts[column]);
  }
  return found;
}

const values = trecEval(
  read(qrelsFile, 4, 3),
  read(runFile, 6, 4),
  measures.length > 0 ? measures : TREC_EVAL_MEASURES,
);
for (const [query, of] of Object.entries(values)) {
  for (const [measure, value] of Object.entries(of)) console.log(`${query}\t${measure}\t${value}`);
}
