/** `maxsim verify`: checks an index and lists what is wrong with it. */
import { MaxsimError } from "../../common/errors.js";
import { type VerifyReport, verifyIndex } from "../../engine/verify.js";
import type { VerifyCommandOptions } from "../commands/verify.js";
import { type CommandContext, indexFolder } from "../context.js";
import { createColors } from "../render/color.js";
import { formatBytes, formatCount, formatDuration } from "../render/format.js";
import { renderJson } from "../render/json.js";
import { singleLine } from "../render/plain-text.js";
import { problemLine } from "../render/problem.js";
import { withProgress } from "../with-progress.js";

export async function verify(options: VerifyCommandOptions, context: CommandContext): Promise<void> {
  const started = performance.now();
  const folder = indexFolder(options.index);
  const json = options.json === true;
  const report = await withProgress(folder, options, context, (onProgress) =>
    verifyIndex(folder, {
      deep: options.deep === true,
      signal: context.signal,
      onProgress,
    }),
  );
  const seconds = (performance.now() - started) / 1000;
  if (json) context.stdout.write(renderJson({ ...report, seconds }));
  else show(report, seconds, options, context);
  if (report.ok) return;
  const count = report.problems.length + report.moreProblems;
  throw new MaxsimError("CORRUPT", `${formatCount(count, "problem")} in the index ${folder}`, {
    hint: "See what can be mended with: maxsim repair --dry-run",
  });
}

function show(
  report: VerifyReport,
  seconds: number,
  { verbose }: VerifyCommandOptions,
  { stdout, stderr, env }: CommandContext,
): void {
  const colors = createColors(stderr, env);
  for (const note of report.notes) stderr.write(`${colors.yellow("note:")} ${singleLine(note)}\n`);
  if (verbose === true) {
    for (const name of report.strays)
      stderr.write(`${colors.dim("not of this generation:")} ${singleLine(name)}\n`);
  }
  stdout.write(report.problems.map((problem) => `${problemLine(problem)}\n`).join(""));
  if (report.moreProblems > 0) stdout.write(`and ${formatCount(report.moreProblems, "more problem")}\n`);
  if (!report.ok) return;
  const counts = [
    formatCount(report.documents, "document"),
    formatCount(report.passages, "passage"),
    formatCount(report.tokens, "token vector"),
    `${formatCount(report.files, "file")} with ${formatBytes(report.bytes)}`,
    ...(report.searches > 0 ? [formatCount(report.searches, "search", "searches")] : []),
  ];
  stdout.write(`ok: ${counts.join(", ")}; checked in ${formatDuration(seconds)}\n`);
}
