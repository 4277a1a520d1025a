// Names the tests that failed and adds the JSON reports of test runs up to one last line: `N passed, N failed, N skipped`.
//
//   node scripts/lib/summary.mjs report.json...
//
// The status is 1 when a test failed, a report is missing or broken, or no test passed.

import { existsSync, readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

/**
 * Counts one report of vitest's json reporter. A file that failed without a failed test (it does not load, or a hook
 * failed) counts as one failure, and so does a run that failed for a reason outside of every file.
 *
 * @typedef {{name?: string, status: string, assertionResults: Array<{status: string, fullName?: string}>}} FileReport
 * @param {{success?: boolean, testResults?: FileReport[]}} report
 */
export function countReport(report) {
  const counts = { passed: 0, failed: 0, skipped: 0, failures: /** @type {string[]} */ ([]) };
  for (const file of report.testResults ?? []) {
    const before = counts.failures.length;
    for (const { status, fullName } of file.assertionResults) {
      if (status === "passed") counts.passed++;
      else if (status === "failed") counts.failures.push(`${file.name}: ${fullName}`);
      else counts.skipped++;
    }
    if (file.status === "failed" && counts.failures.length === before)
      counts.failures.push(`${file.name}: the file`);
  }
  if (report.success !== true && counts.failures.length === 0)
    counts.failures.push("the run, outside of every file");
  counts.failed = counts.failures.length;
  return counts;
}

/**
 * @param {readonly string[]} paths of reports
 * @returns {{line: string, ok: boolean, problems: string[]}}
 */
export function summarize(paths) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  const problems = [];
  for (const path of paths) {
    const counts = readCounts(path, problems);
    total.passed += counts.passed;
    total.failed += counts.failed;
    total.skipped += counts.skipped;
    for (const failure of counts.failures) problems.push(`failed: ${failure}`);
  }
  if (total.passed === 0) problems.push("no test passed");
  const line = `${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`;
  return { line, ok: total.failed === 0 && problems.length === 0, problems };
}

/** A run that left no report failed as a whole. @param {string} path @param {string[]} problems */
function readCounts(path, problems) {
  if (existsSync(path)) {
    try {
      return countReport(JSON.parse(readFileSync(path, "utf8")));
    } catch (error) {
      problems.push(`the report ${path} cannot be read: ${error instanceof Error ? error.message : error}`);
    }
  } else {
    problems.push(`the report ${path} was not written`);
  }
  return { passed: 0, failed: 1, skipped: 0, failures: [] };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const { line, ok, problems } = summarize(process.argv.slice(2));
  for (const problem of problems) console.error(problem);
  console.log(line);
  process.exitCode = ok ? 0 : 1;
}
