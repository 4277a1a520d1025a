/** `maxsim restore`: brings back an index and reports on it. */
import { type RestoreReport, restoreIndex } from "../../engine/restore.js";
import type { RestoreCommandOptions } from "../commands/restore.js";
import { commandLogger } from "../common-options.js";
import { type CommandContext, indexFolder, shownPath } from "../context.js";
import { formatCount, formatDuration, formatNumber } from "../render/format.js";
import { renderJson } from "../render/json.js";
import { ProgressRenderer } from "../render/progress.js";
import { renderTable } from "../render/table.js";

export async function restore(
  backup: string,
  options: RestoreCommandOptions,
  context: CommandContext,
): Promise<void> {
  const started = performance.now();
  const folder = indexFolder(options.index);
  const json = options.json === true;
  const quiet = json && context.stderr.isTTY !== true;
  const progress = new ProgressRenderer({ stream: context.stderr, env: context.env });
  let report: RestoreReport;
  try {
    report = await restoreIndex(backup, folder, {
      replace: options.replace === true,
      signal: context.signal,
      onProgress: (event) => {
        if (!quiet) progress.update(event);
      },
    });
  } finally {
    progress.finish();
  }
  const seconds = (performance.now() - started) / 1000;
  if (json) {
    context.stdout.write(renderJson({ backup, seconds, ...report }));
    return;
  }
  if (report.leftBehind !== null) {
    const left = shownPath(report.leftBehind);
    commandLogger(context, options).warn(
      `a part of the index from before stays in ${left}; it can be deleted`,
    );
  }
  context.stdout.write(summary(report, seconds));
}

function summary(report: RestoreReport, seconds: number): string {
  const table = renderTable([
    ["", "passages", formatNumber(report.passages)],
    ["", "token vectors", formatNumber(report.tokens)],
    ["", "index", `${shownPath(report.folder)} (generation ${formatNumber(report.generation)})`],
  ]);
  const verb = report.replaced ? "replaced the index by" : "restored";
  return `${verb} ${formatCount(report.documents, "document")} in ${formatDuration(seconds)}\n${table}`;
}
