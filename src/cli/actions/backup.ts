/** `maxsim backup`: copies an index and reports on the copy. */
import { isMaxsimError, MaxsimError } from "../../common/errors.js";
import { type BackupReport, backupIndex } from "../../engine/backup.js";
import type { BackupCommandOptions } from "../commands/backup.js";
import { type CommandContext, indexFolder, shownPath } from "../context.js";
import { formatBytes, formatCount, formatDuration, formatNumber } from "../render/format.js";
import { renderJson } from "../render/json.js";
import { ProgressRenderer } from "../render/progress.js";
import { renderTable } from "../render/table.js";

export async function backUp(
  target: string,
  options: BackupCommandOptions,
  context: CommandContext,
): Promise<void> {
  const started = performance.now();
  const folder = indexFolder(options.index);
  const json = options.json === true;
  const quiet = json && context.stderr.isTTY !== true;
  if (!json) context.stderr.write(`index: ${shownPath(folder)}\n`);
  const progress = new ProgressRenderer({ stream: context.stderr, env: context.env });
  let report: BackupReport;
  try {
    report = await backupIndex(folder, target, {
      signal: context.signal,
      onProgress: (event) => {
        if (!quiet) progress.update(event);
      },
    });
  } catch (error) {
    throw withHint(error);
  } finally {
    progress.finish();
  }
  const seconds = (performance.now() - started) / 1000;
  if (json) {
    context.stdout.write(renderJson({ index: folder, seconds, ...report }));
    return;
  }
  context.stdout.write(summary(report, seconds));
}

/** The one mistake that is made here more often than any other. */
function withHint(error: unknown): unknown {
  if (!isMaxsimError(error) || error.code !== "INDEX_NOT_FOUND") return error;
  const hint = "Name the folder of an index with --index.";
  return new MaxsimError(error.code, error.message, { hint, cause: error });
}

function summary(report: BackupReport, seconds: number): string {
  const table = renderTable([
    ["", "documents", formatNumber(report.documents)],
    ["", "files", `${formatNumber(report.files)}, ${formatBytes(report.bytes)}`],
    ["", "backup", `${shownPath(report.target)} (generation ${formatNumber(report.generation)})`],
  ]);
  return `backed up ${formatCount(report.documents, "document")} in ${formatDuration(seconds)}\n${table}`;
}
