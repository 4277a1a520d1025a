// Numbers of rankings, and tables that can be pasted into a Markdown page.

import { availableParallelism, cpus } from "node:os";

/**
 * Share of the first `k` ids of `expected` that are among the first `k` of `found`, mean over queries.
 *
 * @param {readonly (readonly string[])[]} expected
 * @param {readonly (readonly string[])[]} found
 * @param {number} k
 */
export function overlap(expected, found, k) {
  let sum = 0;
  expected.forEach((ids, q) => {
    const among = new Set(found[q].slice(0, k));
    const wanted = ids.slice(0, k);
    sum += wanted.filter((id) => among.has(id)).length / wanted.length;
  });
  return sum / expected.length;
}

/** @param {readonly number[]} values */
export function median(values) {
  return quantile(values, 0.5);
}

/** The value below which a share `q` of the values lies: the nearest one. @param {readonly number[]} values */
export function quantile(values, q) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
}

/**
 * A Markdown table with aligned columns.
 *
 * @param {readonly string[]} head
 * @param {readonly (readonly (string | number)[])[]} rows
 */
export function table(head, rows) {
  const cells = [head, ...rows].map((row) => row.map(String));
  const widths = head.map((_, c) => Math.max(3, ...cells.map((row) => row[c].length)));
  const line = (row) => `| ${row.map((cell, c) => cell.padEnd(widths[c])).join(" | ")} |`;
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return [line(cells[0]), rule, ...cells.slice(1).map(line)].join("\n");
}

/** The machine that was measured, for the line above a table. */
export function machine() {
  const model = cpus()[0]?.model.trim() ?? "unknown processor";
  return `${model}, ${availableParallelism()} threads, Node ${process.version}, ${process.platform}`;
}
