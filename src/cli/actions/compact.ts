/** `maxsim compact`: merges segments, and says what that freed. */
import type { CompactReport } from "../../engine/compact.js";
import type { CompactCommandOptions } from "../commands/compact.js";
import { commandLogger } from "../common-options.js";
import { type CommandContext, shownPath } from "../context.js";
import { openIndex } from "../open-index.js";
import { formatBytes, formatCount, formatDuration, formatNumber } from "../render/format.js";
import { renderJson } from "../render/json.js";
import { ProgressRenderer } from "../render/progress.js";
import { renderTable } from "../render/table.js";

export async function compact(options: CompactCommandOptions, context: CommandContext): Promise<void> {
  const started = performance.now();
  const { all = false, recluster = false, grace, json = false } = options;
  const quiet = json && context.stderr.isTTY !== true;
  const progress = new ProgressRenderer({ stream: context.stderr, env: context.env });
  const index = await openIndex(options.index, { logger: commandLogger(context, options) });
  try {
    if (!json) context.stderr.write(`index: ${shownPath(index.folder)}\n`);
    const before = index.info().generation;
    const report = await index.compact({
      all,
      recluster,
      ...(grace === undefined ? {} : { graceMs: grace * 1000 }),
      signal: context.signal,
      onProgress: (event) => {
        if (!quiet) progress.update(event);
      },
    });
    progress.finish();
    const seconds = (performance.now() - started) / 1000;
    context.stdout.write(
      json
        ? renderJson({ index: index.folder, seconds, ...report })
        : renderCompaction(report, { folder: index.folder, before, seconds }),
    );
  } finally {
    progress.finish();
    await index.close();
  }
}

/** `before`: the generation that the compaction began with. */
export function renderCompaction(
  report: CompactReport,
  { folder, before, seconds }: { readonly folder: string; readonly before: number; readonly seconds: number },
): string {
  const { generation, segments, bytes, droppedPassages, removedFiles, recluster } = report;
  const rows = [
    ["segments", change(formatNumber, segments)],
    ["vectors", change(formatBytes, bytes)],
    ...(droppedPassages > 0
      ? [["left out", `${formatCount(droppedPassages, "passage")} of deleted documents`]]
      : []),
    ...(recluster === undefined ? [] : reclusterRows(recluster)),
    ...(removedFiles > 0 ? [["removed", formatCount(removedFiles, "file")]] : []),
    ["index", `${shownPath(folder)} (generation ${formatNumber(generation)})`],
  ];
  const head = generation === before ? "nothing to compact" : `compacted in ${formatDuration(seconds)}`;
  return `${head}\n${renderTable(rows.map((row) => ["", ...row]))}`;
}

function reclusterRows({ centroids, quality }: NonNullable<CompactReport["recluster"]>): string[][] {
  const cosine = `mean cosine of old and new vectors ${quality.cosine.toFixed(4)}`;
  const top = `${(100 * quality.sameTop10).toFixed(1)} % of the best 10 documents the same`;
  return [
    ["centroids", change(formatNumber, centroids)],
    ["precision", `${cosine}, ${top}, for ${formatCount(quality.passages, "passage")}`],
  ];
}

function change(format: (value: number) => string, { before, after }: CompactReport["bytes"]): string {
  const [from, to] = [format(before), format(after)];
  return from === to ? to : `${from} -> ${to}`;
}
