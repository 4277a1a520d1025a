/** What a rig reports: how much it tried, what it found, what could not run. */
import { cpSync, existsSync, mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * @typedef {{ keep: boolean, name: string, rounds: number, points: number, lost: number, wrong: number, unopenable: number,
 *   findings: string[], skipped: string[], notes: string[] }} RigResult
 *   `lost`: acknowledged work that is gone; `wrong`: any other deviation; `unopenable`: an index that does not open or does not
 *   pass its checks. Each of them has a finding; only the first MAX_FINDINGS are kept in words.
 */

const MAX_FINDINGS = 40;
/** So that a broken build does not fill the disk with copies. */
const MAX_KEPT = 5;
let kept = 0;

/** @returns {RigResult} */
export function newResult(name) {
  return {
    name,
    rounds: 0,
    points: 0,
    lost: 0,
    wrong: 0,
    unopenable: 0,
    findings: [],
    skipped: [],
    notes: [],
  };
}

/**
 * Counts a failure and keeps a copy of the folder it happened in.
 * @param {RigResult} result
 * @param {"lost" | "wrong" | "unopenable"} kind
 */
export function addFinding(result, kind, what, folder) {
  result[kind]++;
  if (result.findings.length >= MAX_FINDINGS) return;
  const copy = folder === undefined || !result.keep ? undefined : keepFolder(folder);
  result.findings.push(`${kind}: ${what}${copy === undefined ? "" : ` (kept in ${copy})`}`);
}

function keepFolder(folder) {
  if (!existsSync(folder) || kept >= MAX_KEPT) return undefined;
  kept++;
  const root = join(tmpdir(), "maxsim-faults-kept");
  mkdirSync(root, { recursive: true });
  const copy = mkdtempSync(join(root, "index-"));
  cpSync(folder, copy, { recursive: true });
  return copy;
}

/** True when the result must fail the run. */
export function failed({ lost, wrong, unopenable }) {
  return lost + wrong + unopenable > 0;
}

/** One line a rig; findings and what was skipped follow. */
export function formatResult(result, seconds) {
  const { name, rounds, points, lost, wrong, unopenable, findings, skipped, notes = [] } = result;
  const counts = `${rounds} rounds, ${points} points, ${lost} lost, ${wrong} wrong, ${unopenable} unopenable`;
  return [
    `${failed(result) ? "FAILED" : rounds + points === 0 ? "skipped" : "ok"} ${name}: ${counts} (${seconds.toFixed(1)} s)`,
    ...findings.map((finding) => `  ${finding}`),
    ...notes.map((note) => `  ${note}`),
    ...skipped.map((reason) => `  skipped: ${reason}`),
  ].join("\n");
}

/** The last line of a run. */
export function formatSummary(results) {
  const sum = (key) => results.reduce((total, result) => total + result[key], 0);
  const skipped = results.reduce((total, result) => total + result.skipped.length, 0);
  return (
    `${results.length} rigs: ${sum("rounds")} rounds, ${sum("points")} points, ${sum("lost")} lost, ${sum("wrong")} wrong, ` +
    `${sum("unopenable")} unopenable, ${skipped} skipped`
  );
}
