/** What `maxsim eval` evaluates on: queries, judgements, and where the documents are. */
import { basename, extname, resolve } from "node:path";
import { MaxsimError } from "../../common/errors.js";
import type { Logger } from "../../common/logger.js";
import { beirCollection } from "../../datasets/beir.js";
import { findJudgement, type Qrels, readQrels } from "../../datasets/qrels.js";
import { type Query, readQueries } from "../../datasets/queries.js";
import { judgementFiles, readJudgements } from "../../engine/judgements.js";
import type { EvalIndexOptions, EvalInputOptions } from "../commands/eval.js";
import { indexFolder, shownPath } from "../context.js";
import { formatCount } from "../render/format.js";

export interface EvalCollection {
  /** For tables and folders. */
  readonly name: string;
  /** Of a BEIR folder. */
  readonly split?: string;
  /** Path of the documents, where an index can be built from them. */
  readonly corpus?: string;
  readonly qrelsFile: string;
  /** Judged queries with their texts, by id; empty where only runs are evaluated. */
  readonly queries: readonly Query[];
  /** Of those queries, by id. */
  readonly qrels: Qrels;
}

interface Files {
  readonly name: string;
  readonly split?: string;
  readonly corpus?: string | undefined;
  readonly queries: string | undefined;
  readonly qrels: string;
}

/**
 * Reads queries and judgements; what is odd about them is warned of. With `searched` false, texts are not needed.
 * Errors: PATH_NOT_FOUND, INVALID_INPUT naming file and line, INVALID_ARGUMENT, IO.
 */
export async function readCollection(
  folder: string | undefined,
  options: EvalInputOptions & EvalIndexOptions,
  searched: boolean,
  logger: Logger,
): Promise<EvalCollection> {
  const files = await findFiles(folder, options);
  const all = await readAllQrels(files.qrels, logger);
  const texts =
    searched && files.queries !== undefined
      ? await readTexts({ queries: files.queries, qrels: files.qrels }, all, logger)
      : undefined;
  const known = texts === undefined ? [...all.keys()] : [...all.keys()].filter((id) => texts.has(id));
  const ids = known.sort().slice(0, options.limit);
  const qrels = new Map(ids.map((id) => [id, all.get(id) ?? new Map<string, number>()]));
  const irrelevant = [...qrels.values()].filter((grades) =>
    [...grades.values()].every((grade) => grade <= 0),
  );
  if (irrelevant.length > 0) {
    const count = formatCount(irrelevant.length, "query", "queries");
    logger.warn(`${shownPath(files.qrels)}: ${count} without a relevant document, which count as 0`);
  }
  return {
    name: files.name,
    ...(files.split === undefined ? {} : { split: files.split }),
    ...(files.corpus === undefined ? {} : { corpus: files.corpus }),
    qrelsFile: files.qrels,
    queries: texts === undefined ? [] : ids.map((id) => ({ id, text: texts.get(id) ?? "" })),
    qrels,
  };
}

/** Warns of judged documents that the index lacks. Errors: INVALID_INPUT when it has none of them. */
export async function checkDocuments(
  { qrels, qrelsFile }: EvalCollection,
  present: (ids: readonly string[]) => ReadonlySet<string>,
  logger: Logger,
): Promise<number> {
  const judged = new Set([...qrels.values()].flatMap((grades) => [...grades.keys()]));
  const there = present([...judged]);
  const missing = [...judged].filter((id) => !there.has(id));
  const [first] = missing;
  if (first === undefined) return 0;
  const line = await findJudgement(qrelsFile, ({ documentId }) => documentId === first);
  const where = `${shownPath(qrelsFile)}${line === undefined ? "" : `:${line}`}`;
  if (missing.length === judged.size) {
    throw new MaxsimError(
      "INVALID_INPUT",
      `${where}: the index has none of the ${formatCount(judged.size, "judged document")}, such as ${first}`,
      { hint: "The judgements belong to other documents: name the right index or corpus." },
    );
  }
  const count = `${formatCount(missing.length, "judged document")} of ${judged.size}`;
  logger.warn(`${where}: the index does not have ${first}; ${count} in all, which cannot be found`);
  return missing.length;
}

async function findFiles(
  folder: string | undefined,
  options: EvalInputOptions & EvalIndexOptions,
): Promise<Files> {
  const { queries, qrels, corpus, split } = options;
  if (folder !== undefined) {
    const path = resolve(folder);
    const found = await beirCollection(path, split);
    return {
      name: basename(path),
      corpus: found.corpus,
      queries: queries ?? found.queries,
      qrels: qrels ?? found.qrels,
      ...(qrels === undefined ? { split: found.split } : {}),
    };
  }
  if (qrels !== undefined) {
    const name = basename(corpus ?? queries ?? qrels);
    return { name: basename(name, extname(name)), corpus, queries, qrels };
  }
  const index = indexFolder(options.index);
  // Mends what a crash left, and says whether there is something.
  const judgements = await readJudgements(index);
  if (judgements === undefined) {
    throw new MaxsimError("PATH_NOT_FOUND", `there are no judgements beside the index ${index}`, {
      hint: "Make some with: maxsim judge, or name a BEIR folder, or --queries and --qrels.",
    });
  }
  return { name: basename(index), ...judgementFiles(index) };
}

async function readAllQrels(path: string, logger: Logger): Promise<Qrels> {
  let repeated: { line: number; earlier: number } | undefined;
  let count = 0;
  const qrels = await readQrels(path, {
    onRepeated: (line, earlier) => {
      repeated ??= { line, earlier };
      count++;
    },
  });
  if (qrels.size === 0) {
    throw new MaxsimError("INVALID_INPUT", `${path} holds no judgements`, {
      hint: "Lines are: query id, tab, document id, tab, grade (BEIR), or: query id, 0, document id, grade (TREC).",
    });
  }
  if (repeated !== undefined) {
    const more = count > 1 ? `; ${formatCount(count, "repeated line")} in all` : "";
    logger.warn(`${shownPath(path)}:${repeated.line}: the same as line ${repeated.earlier}${more}`);
  }
  return qrels;
}

/** Texts of the judged queries. A query without judgements says nothing, and one without a text cannot be asked. */
async function readTexts(
  files: { readonly queries: string; readonly qrels: string },
  qrels: Qrels,
  logger: Logger,
): Promise<Map<string, string>> {
  const path = files.queries;
  const texts = new Map<string, string>();
  for (const { id, text } of await readQueries(path)) {
    if (!qrels.has(id)) continue;
    if (text.trim() === "") {
      throw new MaxsimError("INVALID_INPUT", `${path}: query ${JSON.stringify(id)} is empty`, {
        hint: "Give it a text, or leave it out.",
      });
    }
    texts.set(id, text);
  }
  const unknown = [...qrels.keys()].filter((id) => !texts.has(id));
  const [first] = unknown;
  if (first === undefined) return texts;
  const line = await findJudgement(files.qrels, ({ queryId }) => queryId === first);
  const where = `${shownPath(files.qrels)}${line === undefined ? "" : `:${line}`}`;
  const lacking = `${shownPath(path)} has no query ${JSON.stringify(first)}`;
  if (texts.size === 0) {
    throw new MaxsimError("INVALID_INPUT", `${where}: ${lacking}, nor any other that is judged`, {
      hint: "The judgements belong to other queries: name the right file.",
    });
  }
  const count = formatCount(unknown.length, "judged query", "judged queries");
  logger.warn(`${where}: ${lacking}; ${count} in all, which are left out`);
  return texts;
}
