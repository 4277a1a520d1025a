/** Distillation: the order of an expensive ranker, written as training data for a cheap one. */
import { createHash } from "node:crypto";
import { join, resolve } from "node:path";
import { throwIfAborted } from "../common/abort.js";
import { isMaxsimError, MaxsimError } from "../common/errors.js";
import { silentLogger } from "../common/logger.js";
import { CatalogView } from "../engine/catalog-view.js";
import type { Index } from "../engine/index.js";
import type { SearchMode } from "../engine/options.js";
import type { Reranker } from "../rerank/types.js";
import { removeFile } from "../storage/folder-moves.js";
import { makeFolders } from "../storage/folders.js";
import { LOCK_NAME, WriterLock } from "../storage/lock.js";
import { nodeFileSystem } from "../storage/node-file-system.js";
import { Journal, type JournalSettings, RANKINGS_NAME, SECOND_RANKINGS_NAME } from "./journal.js";
import { distinctQueries, makeQueries, sampleQueries } from "./queries.js";
import { type RankedQueries, rankQueries } from "./rank-queries.js";
import type { DistillReport, TeacherInfo } from "./report.js";
import { TrainingTexts } from "./training-texts.js";
import { checkOptions, type DistillOptions, type DistillPlan, type DistillQuery } from "./types.js";
import { writeTrainingData } from "./write-training-data.js";

export interface DistillResult {
  /** Absolute path of the training data. */
  readonly folder: string;
  /** What report.json says. */
  readonly report: DistillReport;
  /** Queries whose rankings an earlier run had made. */
  readonly resumed: number;
  /** Why the teachers failed, one a failure. The same call asks for these queries again. */
  readonly failures: readonly string[];
}

/**
 * Finds candidates for queries in the index, has the teacher rank them, and writes training data with the teacher's scores to
 * `options.out`. The index goes on to its newest generation first. Killed and called again, it goes on where it was, asks nothing twice, and gives the same files, byte for byte.
 *
 * Errors: INVALID_ARGUMENT, also for a folder that was begun with other settings; EMPTY_CORPUS for an index without documents;
 * TARGET_EXISTS for a folder with other files; INVALID_INPUT when there is no query; LOCKED; SERVICE when the teacher does nothing but
 * fail; ABORTED; IO, DISK_FULL; those of `Index.search` and of the teachers.
 */
export async function distill(index: Index, options: DistillOptions): Promise<DistillResult> {
  const plan = checkOptions(options);
  const folder = resolve(options.out);
  const { documents } = index.info();
  if (documents === 0) {
    throw new MaxsimError("EMPTY_CORPUS", `the index ${index.folder} holds no documents`, {
      hint: "Fill it with: maxsim index <paths...>",
    });
  }
  const lock = await takeFolder(folder);
  try {
    if (options.restart === true) {
      for (const name of [RANKINGS_NAME, SECOND_RANKINGS_NAME]) await removeFile(join(folder, name));
    }
    const view = await viewOf(index);
    try {
      return await distillTo(folder, index, view, plan, options);
    } finally {
      view.close();
    }
  } finally {
    lock.release();
  }
}

async function distillTo(
  folder: string,
  index: Index,
  view: CatalogView,
  plan: DistillPlan,
  options: DistillOptions,
): Promise<DistillResult> {
  const { teacher, secondTeacher, signal, onProgress, logger = silentLogger } = options;
  const texts = new TrainingTexts(view, { withoutHeadings: options.queries === undefined });
  const queries = queriesOf(view, plan, options);
  const mode = plan.mode ?? (index.info().lexical === "off" ? "late" : "hybrid");
  const rerankers = [teacher, ...(secondTeacher === undefined ? [] : [secondTeacher])];
  const infos = await Promise.all(rerankers.map(infoOf));
  const journals: Journal[] = [];
  let rankings: RankedQueries;
  try {
    for (const [i, info] of infos.entries()) {
      const path = join(folder, i === 0 ? RANKINGS_NAME : SECOND_RANKINGS_NAME);
      journals.push(await Journal.open(path, journalSettings(index, mode, plan, options, info)));
    }
    onProgress?.({ stage: "rank", done: 0, total: queries.length, unit: "queries" });
    rankings = await rankQueries(queries, {
      ...{ index, generation: view.generation, texts, mode, depth: plan.depth },
      ...{ concurrency: plan.concurrency, signal },
      teachers: rerankers.map((reranker, i) => ({ reranker, journal: journals[i]! })),
      onDone: (done) => onProgress?.({ stage: "rank", done, total: queries.length, unit: "queries" }),
    });
  } finally {
    for (const journal of journals) journal.close();
  }
  const { ranked, resumed, failures } = rankings;
  for (const failure of failures.slice(0, 3)) logger.warn(`not ranked: query ${failure}`);
  if (ranked.every(({ rankings: [ranking] }) => ranking === undefined)) {
    throw new MaxsimError("SERVICE", `the teacher ranked no query; the last one, ${failures.at(-1)}`, {
      hint: "Run the same command again once the teacher answers.",
    });
  }
  throwIfAborted(signal, "the distillation");
  const report = await writeTrainingData(folder, {
    ...{ plan, ranked, texts, mode, signal, teacher, secondTeacher },
    made: options.queries === undefined,
    index: { folder: index.folder, generation: view.generation, documents: view.documents },
    teacherInfo: infos[0]!,
    secondTeacherInfo: infos[1],
  });
  return { folder, report, resumed, failures };
}

function queriesOf(
  view: CatalogView,
  { limit, seed }: DistillPlan,
  { queries, signal }: DistillOptions,
): readonly DistillQuery[] {
  if (queries !== undefined) {
    if (queries.length === 0) throw new MaxsimError("INVALID_INPUT", "there is no query to distill with");
    return distinctQueries(queries).slice(0, limit);
  }
  const made = sampleQueries(makeQueries(view, signal), limit, seed);
  if (made.length > 0) return made;
  throw new MaxsimError(
    "INVALID_INPUT",
    `no queries can be made: the documents of ${view.folder} have no titles or headings of two words or more`,
    { hint: "Give queries of your own with --queries FILE (queries)." },
  );
}

/**
 * What a ranking depends on, besides its query. Files of segments are named after their content, so they tell indexes apart, and
 * generations that differ in more than titles or metadata.
 */
function journalSettings(
  index: Index,
  mode: SearchMode,
  { depth }: DistillPlan,
  { queries }: DistillOptions,
  { name, model, fingerprint }: TeacherInfo,
): JournalSettings {
  const { generation, documents, model: encoder } = index.info();
  const content = createHash("sha256")
    .update(JSON.stringify([documents, encoder, index.segments().map(({ file }) => file)]))
    .digest("hex");
  return {
    "index content": content.slice(0, 16),
    "index generation": generation,
    mode,
    depth,
    queries: queries === undefined ? "made from titles" : "given",
    teacher: model === "" ? name : `${name}:${model}`,
    "teacher fingerprint": fingerprint,
  };
}

async function infoOf(reranker: Reranker): Promise<TeacherInfo> {
  return { name: reranker.name, model: reranker.model, fingerprint: await reranker.fingerprint() };
}

/** The catalog at the generation that the index answers from. Errors: INVALID_ARGUMENT while somebody writes. */
async function viewOf(index: Index): Promise<CatalogView> {
  await index.refresh();
  const view = CatalogView.open(index.folder);
  const { generation } = index.info();
  if (view.generation === generation) return view;
  view.close();
  throw new MaxsimError("INVALID_ARGUMENT", `the index ${index.folder} is being written to`, {
    hint: "Distill when that is done.",
  });
}

/** Makes the folder, or takes the one of an earlier run. Errors: TARGET_EXISTS, LOCKED, IO. */
async function takeFolder(folder: string): Promise<WriterLock> {
  await makeFolders(folder);
  const names = (await nodeFileSystem.list(folder)).filter((name) => name !== LOCK_NAME);
  if (names.length > 0 && !names.includes(RANKINGS_NAME)) {
    throw new MaxsimError(
      "TARGET_EXISTS",
      `${folder} must be empty or hold an earlier distillation, found ${names[0]}`,
      { hint: "Name another folder with --out (out)." },
    );
  }
  try {
    return WriterLock.acquire(folder);
  } catch (error) {
    if (!isMaxsimError(error) || error.code !== "LOCKED") throw error;
    throw new MaxsimError("LOCKED", `another process distills to ${folder}`, {
      hint: "Wait until it is done, or name another folder with --out (out).",
      cause: error,
    });
  }
}
