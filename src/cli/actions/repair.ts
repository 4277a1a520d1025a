/** `maxsim repair`: mends an index and says what was done, what was lost and what stays damaged. */
import { MaxsimError } from "../../common/errors.js";
import { type RepairNeed, type RepairReport, repairIndex } from "../../engine/repair.js";
import type { RepairCommandOptions } from "../commands/repair.js";
import { commandLogger } from "../common-options.js";
import { type CommandContext, indexFolder } from "../context.js";
import { createColors } from "../render/color.js";
import { formatCount, formatNumber } from "../render/format.js";
import { renderJson } from "../render/json.js";
import { singleLine } from "../render/plain-text.js";
import { problemLine } from "../render/problem.js";
import { withProgress } from "../with-progress.js";

const HINTS: Readonly<Record<RepairNeed, string>> = {
  dropDamaged: "Remove what is damaged, after a look at what that is: maxsim repair --drop-damaged --dry-run",
  rebuild: "Encode everything again, which takes as long as building the index: maxsim repair --rebuild",
  model: "Name the model of the index with --model, or remove what is damaged with --drop-damaged.",
  backup: "Bring the index back from a backup with maxsim restore, or build it again.",
  doctor: "See what this machine gives the engine: maxsim doctor",
};

export async function repair(options: RepairCommandOptions, context: CommandContext): Promise<void> {
  const folder = indexFolder(options.index);
  const json = options.json === true;
  const report = await withProgress(folder, options, context, (onProgress) =>
    repairIndex(folder, {
      dryRun: options.dryRun === true,
      dropDamaged: options.dropDamaged === true,
      rebuild: options.rebuild === true,
      ...(options.model === undefined ? {} : { model: options.model }),
      logger: commandLogger(context, options),
      signal: context.signal,
      onProgress,
    }),
  );
  if (json) context.stdout.write(renderJson(report));
  else show(report, options, context);
  if (report.ok) return;
  throw new MaxsimError(
    "CORRUPT",
    `${formatCount(report.left.length, "file")} of the index ${folder} ${report.left.length === 1 ? "stays" : "stay"} damaged`,
    { hint: HINTS[report.left[0]?.needs ?? "backup"] },
  );
}

function show(
  report: RepairReport,
  { verbose }: RepairCommandOptions,
  { stdout, env }: CommandContext,
): void {
  const { dryRun, problems, moreProblems, repaired, left, lost, encoded } = report;
  const colors = createColors(stdout, env);
  const line = (text: string): void => void stdout.write(`${text}\n`);
  if (problems.length === 0 && repaired.length === 0) {
    line(`ok: nothing is damaged (generation ${formatNumber(report.generation ?? 0)})`);
    return;
  }
  if (verbose === true) for (const problem of problems) line(problemLine(problem));
  const mark = dryRun ? "would mend" : "mended";
  for (const { file, what } of repaired) line(`${colors.green(mark)}  ${singleLine(`${file}: ${what}`)}`);
  for (const { file, what } of left) line(`${colors.red("damaged")}  ${singleLine(`${file}: ${what}`)}`);
  const verb = dryRun ? "would be lost" : "lost";
  for (const { id, documentNo } of lost) {
    line(
      `${colors.red(verb)}  ${id === null ? `document number ${documentNo}, whose id cannot be read` : singleLine(id)}`,
    );
  }
  const counts = [
    formatCount(problems.length + moreProblems, "problem"),
    ...(encoded > 0 ? [`${formatCount(encoded, "passage")} encoded again`] : []),
    ...(lost.length > 0 ? [`${formatCount(lost.length, "document")} ${verb}`] : []),
  ];
  const state = report.generation === null ? "" : ` (generation ${formatNumber(report.generation)})`;
  line(
    `${report.ok ? (dryRun ? "can be mended" : "the index is sound again") : "damage is left"}: ${counts.join(", ")}${state}`,
  );
}
