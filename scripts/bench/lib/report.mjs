// What a suite found: Markdown on stdout while it runs, and the same as JSON with raw numbers.

import { writeFileSync } from "node:fs";

/**
 * @typedef {object} Column
 * @property {string} key of the rows
 * @property {string} title
 * @property {(value: any, row: any) => string | number} [format] default: the value; undefined and null are "-"
 * @property {boolean} [left] text, not numbers
 */

export class Report {
  /**
   * @param {string} suite
   * @param {Record<string, unknown>} facts of the machine and the run
   * @param {(text: string) => void} [write]
   */
  constructor(suite, facts, write = (text) => process.stdout.write(text)) {
    this.content = { suite, ...facts, notes: [], tables: [] };
    this.write = write;
  }

  /** A paragraph. @param {string} text */
  note(text) {
    this.content.notes.push(text);
    this.write(`\n${text}\n`);
  }

  /**
   * @param {string} title
   * @param {readonly Column[]} columns
   * @param {readonly Record<string, any>[]} rows
   */
  table(title, columns, rows) {
    this.content.tables.push({ title, rows });
    this.write(`\n${title}\n\n${markdownTable(columns, rows)}\n`);
  }

  /** @param {string} path */
  saveJson(path) {
    writeFileSync(path, `${JSON.stringify(this.content, undefined, 2)}\n`);
  }
}

/** @param {readonly Column[]} columns @param {readonly Record<string, any>[]} rows */
export function markdownTable(columns, rows) {
  const cell = (row, { key, format = String }) =>
    row[key] === undefined || row[key] === null ? "-" : String(format(row[key], row));
  const body = rows.map((row) => columns.map((column) => cell(row, column)));
  const widths = columns.map(({ title }, c) =>
    Math.max(3, title.length, ...body.map((cells) => cells[c].length)),
  );
  const align = (text, c) => (columns[c].left ? text.padEnd(widths[c]) : text.padStart(widths[c]));
  const line = (cells) => `| ${cells.map(align).join(" | ")} |`;
  const rule = columns.map(({ left }, c) => (left ? "-".repeat(widths[c]) : `${"-".repeat(widths[c] - 1)}:`));
  return [line(columns.map(({ title }) => title)), `| ${rule.join(" | ")} |`, ...body.map(line)].join("\n");
}

/** Formats of cells. */
export const fixed = (digits) => (value) => value.toFixed(digits);
export const count = (value) => Math.round(value).toLocaleString("en");
export const megabytes = (bytes) => (bytes / 1e6).toFixed(0);
export const percent = (share) => `${(100 * share).toFixed(1)} %`;
/** A median with the tenth and the ninetieth percentile of the rounds. */
export const withSpread =
  (digits) =>
  ({ median, p10, p90 }) =>
    `${median.toFixed(digits)} (${p10.toFixed(digits)}-${p90.toFixed(digits)})`;
export const medianOf =
  (digits) =>
  ({ median }) =>
    median.toFixed(digits);
