/** From rankings to the files of a distillation and its report, which is written last. */
import { join } from "node:path";
import type { Reranker } from "../rerank/types.js";
import { removeFile, removeIfEmpty } from "../storage/folder-moves.js";
import { CARD_NAME, cardLines } from "./card.js";
import { chooseExamples, commonWays, type Example, listOf } from "./examples.js";
import { QUERIES_NAME, queryLines, trainingFiles } from "./formats.js";
import type { RankedQuery } from "./rank-queries.js";
import { type DistillReport, gradingOf, hasOrderOnly, makeReport, type TeacherInfo } from "./report.js";
import { type WrittenFile, writeTrainingFile } from "./training-files.js";
import type { TrainingTexts } from "./training-texts.js";
import { type DistillPlan, TRAINING_FORMATS } from "./types.js";

export const REPORT_NAME = "report.json";
/** What PyLate's KDProcessing takes of a row by default (`n_ways`). */
const DEFAULT_WAYS = 32;

export interface WriteInput {
  readonly plan: DistillPlan;
  readonly ranked: readonly RankedQuery[];
  readonly texts: TrainingTexts;
  readonly mode: string;
  /** Whether the queries were made from titles. */
  readonly made: boolean;
  readonly index: DistillReport["index"];
  readonly teacher: Reranker;
  readonly teacherInfo: TeacherInfo;
  readonly secondTeacher: Reranker | undefined;
  readonly secondTeacherInfo: TeacherInfo | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Writes what the plan asks for, and removes files of other formats. Errors: ABORTED, IO, DISK_FULL. */
export async function writeTrainingData(folder: string, input: WriteInput): Promise<DistillReport> {
  const { plan, ranked, texts, signal, secondTeacher, secondTeacherInfo } = input;
  const { depth, negatives, minMargin, seed, formats } = plan;
  const byOrder = hasOrderOnly(input.teacher);
  const chosen = chooseExamples(ranked, { negatives, minMargin, seed, byOrder });
  const { examples } = chosen;
  const grading = gradingOf(examples, byOrder);
  const withLists = formats.includes("kd");
  const ways = withLists ? (plan.ways ?? commonWays(examples, DEFAULT_WAYS)) : 0;
  const lists = withLists ? listsOf(examples, ways, seed) : [];
  const formatInput = { examples, texts, negatives, gradeOf: grading.gradeOf, lists };
  const files: WrittenFile[] = [await writeTrainingFile(folder, QUERIES_NAME, queryLines(examples), signal)];
  for (const { name, lines } of formats.flatMap((format) => trainingFiles(format, formatInput))) {
    files.push(await writeTrainingFile(folder, name, lines(), signal));
  }
  // What an earlier run wrote with other settings would pass for data of this one.
  for (const format of TRAINING_FORMATS.filter((other) => !formats.includes(other))) {
    for (const { name } of trainingFiles(format, formatInput)) await removeFile(join(folder, name));
  }
  if (!withLists) await removeIfEmpty(join(folder, "kd"));
  await writeTrainingFile(folder, CARD_NAME, cardLines(files), signal);
  const report = makeReport({
    ...{ ranked, chosen, grading, files, index: input.index, teacher: input.teacherInfo },
    ...(secondTeacherInfo === undefined ? {} : { secondTeacher: secondTeacherInfo }),
    secondByOrder: secondTeacher !== undefined && hasOrderOnly(secondTeacher),
    settings: {
      queries: input.made ? "made" : "given",
      ...{ mode: input.mode, depth, negatives, minMargin, seed },
    },
    ...(withLists ? { kd: { rows: lists.length, ways, tooShort: examples.length - lists.length } } : {}),
  });
  await writeTrainingFile(folder, REPORT_NAME, [`${JSON.stringify(report, null, 2)}\n`], signal);
  return report;
}

function listsOf(examples: readonly Example[], ways: number, seed: number) {
  return examples.flatMap((example) => {
    const documents = listOf(example, ways, seed);
    return documents === undefined ? [] : [{ example, documents }];
  });
}
