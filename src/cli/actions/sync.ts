/** `maxsim sync`: brings an index up to date with its files, and says what that took. */
import { MaxsimError } from "../../common/errors.js";
import { syncFolder } from "../../engine/sync-folder.js";
import type { SyncReport } from "../../engine/sync-report.js";
import type { SyncCommandOptions } from "../commands/sync.js";
import { commandLogger } from "../common-options.js";
import { type CommandContext, indexFolder, shownPath } from "../context.js";
import { renderSkipped } from "../read-corpus.js";
import { readingOptions } from "../reading-options.js";
import { type Colors, createColors } from "../render/color.js";
import { formatCount, formatDuration, formatNumber } from "../render/format.js";
import { renderJson } from "../render/json.js";
import { singleLine } from "../render/plain-text.js";
import { renderTable } from "../render/table.js";
import { STANDARD_INPUT } from "../standard-input-options.js";
import { withProgress } from "../with-progress.js";

export async function syncPaths(
  paths: readonly string[],
  options: SyncCommandOptions,
  context: CommandContext,
): Promise<void> {
  if (paths.includes(STANDARD_INPUT)) throw notSynced();
  const started = performance.now();
  const folder = indexFolder(options.index);
  const { threads, dryRun = false, allowEmpty = false, checksum = false } = options;
  const json = options.json === true;
  const report = await withProgress(folder, options, context, (onProgress) =>
    syncFolder(folder, paths.length === 0 ? undefined : paths, {
      ...readingOptions(options),
      ...{ dryRun, allowEmpty, checksum },
      ...(threads === undefined ? {} : { threads }),
      logger: commandLogger(context, options),
      signal: context.signal,
      onProgress,
    }),
  );
  const seconds = (performance.now() - started) / 1000;
  if (json) {
    context.stdout.write(renderJson({ index: folder, seconds, ...report }));
    return;
  }
  const verbose = options.verbose === true;
  context.stderr.write(renderSkipped(report.skipped, verbose));
  if (verbose || dryRun)
    context.stdout.write(renderChanges(report, createColors(context.stdout, context.env)));
  context.stdout.write(renderSummary(report, folder, seconds));
}

function notSynced(): MaxsimError {
  return new MaxsimError(
    "INVALID_ARGUMENT",
    "standard input cannot be synced: there is no file to look at again",
    {
      hint: "Add it with `maxsim index -`.",
    },
  );
}

/** One line a file that was added, changed, renamed or removed. */
export function renderChanges(report: SyncReport, colors: Colors): string {
  const shown = (path: string): string => singleLine(shownPath(path));
  const lines = [
    ...report.added.map((path) => colors.green(`+ ${shown(path)}`)),
    ...report.changed.map((path) => colors.yellow(`~ ${shown(path)}`)),
    ...report.renamed.map(({ from, to }) => colors.cyan(`> ${shown(from)} -> ${shown(to)}`)),
    ...report.removed.map((path) => colors.red(`- ${shown(path)}`)),
  ];
  return lines.map((line) => `${line}\n`).join("");
}

/** Counts of files and documents; those that are 0 are left out. */
export function renderSummary(report: SyncReport, folder: string, seconds: number): string {
  const { documents, generation, dryRun, passages, resumed } = report;
  const counts: Array<readonly [label: string, files: number]> = [
    ["added", report.added.length],
    ["changed", report.changed.length],
    ["renamed", report.renamed.length],
    ["removed", report.removed.length],
    ["kept unread", report.kept.length],
    ["unchanged", report.unchanged + report.touched.length],
  ];
  const rows = [
    ...counts.flatMap(([label, files]) => (files === 0 ? [] : [[label, formatCount(files, "file")]])),
    ...documentRows(documents),
    ...(passages === 0
      ? []
      : [[dryRun ? "to encode" : "encoded", formatCount(passages, "passage") + resumedNote(resumed)]]),
    ["index", `${shownPath(folder)} (generation ${formatNumber(generation)})`],
  ];
  const files = counts.reduce((sum, [, count]) => sum + count, 0);
  const head = dryRun
    ? "dry run, nothing was written"
    : `synced ${formatCount(files, "file")} in ${formatDuration(seconds)}`;
  return `${head}\n${renderTable(rows.map((row) => ["", ...row]))}`;
}

function documentRows({ added, changed, updated, removed }: SyncReport["documents"]): string[][] {
  const parts = [
    ...(added > 0 ? [`${formatNumber(added)} added`] : []),
    ...(changed > 0 ? [`${formatNumber(changed)} changed`] : []),
    ...(updated > 0 ? [`${formatNumber(updated)} updated without encoding`] : []),
    ...(removed > 0 ? [`${formatNumber(removed)} removed`] : []),
  ];
  return parts.length === 0 ? [] : [["documents", parts.join(", ")]];
}

function resumedNote(resumed: number): string {
  return resumed === 0 ? "" : `, ${formatNumber(resumed)} of them encoded before`;
}
