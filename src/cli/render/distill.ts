/** What a distillation gave, for people. */
import type { DistillResult } from "../../distillation/distill.js";
import type { DistillReport, Distribution, TeacherInfo } from "../../distillation/report.js";
import type { RerankUsage } from "../../rerank/types.js";
import { formatBytes, formatCount, formatDuration, formatNumber, formatShare } from "./format.js";
import { singleLine } from "./plain-text.js";
import { type RenderStyle, renderHeadedTable, renderTable } from "./table.js";

export interface ShownDistillation extends DistillResult {
  readonly seconds: number;
}

export function renderDistillation(shown: ShownDistillation, style: RenderStyle): string {
  const { report, folder, seconds } = shown;
  const { pairs, triplets } = report;
  const kd = report.kd === undefined ? [] : [formatCount(report.kd.rows, "list")];
  const made = [formatCount(pairs, "pair"), formatCount(triplets, "triplet"), ...kd].join(", ");
  const files = [
    ["file", "rows", "size"],
    ...report.files.map(({ name, rows, bytes }) => [name, formatNumber(rows), formatBytes(bytes)]),
  ];
  return [
    `${singleLine(folder)}: ${made}, in ${formatDuration(seconds)}\n\n`,
    renderTable(facts(shown)),
    "\n",
    renderHeadedTable(files, style, ["rows", "size"]),
  ].join("");
}

function facts({ report, resumed }: ShownDistillation): string[][] {
  const { firstStage, sources, teachers, scores, secondTeacher, secondUsage } = report;
  return [
    ["queries", queryFacts(report, resumed)],
    ["teacher", nameOf(report.teacher)],
    ...usageFacts(report.usage),
    ...(secondTeacher === undefined ? [] : [["second teacher", nameOf(secondTeacher)]]),
    ...(secondUsage === undefined ? [] : usageFacts(secondUsage)),
    [
      "first stage",
      `${report.settings.mode}: tau ${decimals(firstStage.kendallTau)}, nDCG@10 ${decimals(firstStage.ndcg)} by the teacher's grades, ` +
        `another best for ${percent(firstStage.bestDiffers)} of the queries`,
    ],
    ...(teachers === undefined
      ? []
      : [
          [
            "two teachers",
            `tau ${decimals(teachers.kendallTau)}, another best for ${percent(teachers.bestDiffers)} of ${formatCount(teachers.queries, "query", "queries")}`,
          ],
        ]),
    ...(sources === undefined
      ? []
      : [
          [
            "source first",
            `${percent(sources.teacherFirst)} by the teacher, ${percent(sources.firstStageFirst)} by the first stage; found for ${percent(sources.found)}`,
          ],
        ]),
    ...scoreFacts("positives", scores.positives),
    ...scoreFacts("negatives", scores.negatives),
    ...listFacts(report),
  ];
}

function queryFacts({ queries }: DistillReport, resumed: number): string {
  const { asked, used, failed, undecided, withoutNegatives, warned } = queries;
  const parts: ReadonlyArray<readonly [number, string]> = [
    [resumed, "ranked before"],
    [failed, "failed"],
    [undecided, "without an order"],
    [withoutNegatives, "without a clear negative"],
    [warned, "with a warning"],
  ];
  const rest = parts.filter(([count]) => count > 0).map(([count, what]) => `${formatNumber(count)} ${what}`);
  return [`${formatNumber(used)} of ${formatNumber(asked)} used`, ...rest].join(", ");
}

function nameOf({ name, model }: TeacherInfo): string {
  return model === "" ? name : `${name}:${model}`;
}

/** Nothing for models that run here. */
function usageFacts({ requests, inputTokens, outputTokens, searchUnits, cost }: RerankUsage): string[][] {
  if (requests === 0) return [];
  const parts = [
    formatCount(requests, "request"),
    ...(inputTokens + outputTokens > 0
      ? [`${formatNumber(inputTokens)} tokens in, ${formatNumber(outputTokens)} out`]
      : []),
    ...(searchUnits > 0 ? [formatCount(searchUnits, "search unit")] : []),
    ...(cost > 0 ? [`cost ${decimals(cost)}`] : []),
  ];
  return [["", parts.join(", ")]];
}

function scoreFacts(name: string, scores: Distribution | undefined): string[][] {
  if (scores === undefined) return [];
  const { min, p25, median, p75, max } = scores;
  return [[name, `${[min, p25, median, p75, max].map(decimals).join("  ")} (lowest, quartiles, highest)`]];
}

function listFacts({ kd }: DistillReport): string[][] {
  if (kd === undefined) return [];
  const short = kd.tooShort === 0 ? "" : `, ${formatNumber(kd.tooShort)} queries have less`;
  return [["lists", `of ${formatCount(kd.ways, "document")}${short}`]];
}

function decimals(value: number): string {
  return value.toFixed(3);
}

function percent(share: number): string {
  return formatShare(share, 1);
}
