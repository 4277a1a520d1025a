/**
 * What people judged with an index at hand, kept beside its files:
 *
 *   <index>/judgements/queries.jsonl   {"_id": "q1", "text": "..."}
 *   <index>/judgements/qrels.tsv       query id, tab, document id, tab, grade
 *
 * Both are BEIR files, one line a query and a judgement, durable as soon as it is made. They belong to no generation: writes,
 * compaction, repair and a restore into the folder leave them alone, and a backup does not hold them.
 */
import { join } from "node:path";
import { describe } from "../common/check.js";
import { isMaxsimError, MaxsimError } from "../common/errors.js";
import { type Qrels, readQrels } from "../datasets/qrels.js";
import { type Query, readQueries } from "../datasets/queries.js";
import { pathKind } from "../storage/folder-moves.js";
import { makeFolders } from "../storage/folders.js";
import { hasOpenEnd, LineLog } from "../storage/line-log.js";
import { WriterLock } from "../storage/lock.js";

export const JUDGEMENTS_FOLDER = "judgements";
/** Grades that can be given: 0 is not relevant. */
export const MAX_GRADE = 3;

const HEAD = "query-id\tcorpus-id\tscore";

export interface JudgementFiles {
  readonly queries: string;
  readonly qrels: string;
}

/** Where the judgements of an index are. `folder` is that of the index. */
export function judgementFiles(folder: string): JudgementFiles {
  const place = join(folder, JUDGEMENTS_FOLDER);
  return { queries: join(place, "queries.jsonl"), qrels: join(place, "qrels.tsv") };
}

export interface Judgements {
  readonly queries: readonly Query[];
  readonly qrels: Qrels;
}

/**
 * The judgements of an index; undefined when there are none. A line that a crash cut short is taken away first.
 * Errors: INVALID_INPUT naming file and line, IO.
 */
export async function readJudgements(folder: string): Promise<Judgements | undefined> {
  const { queries, qrels } = judgementFiles(folder);
  if ((await pathKind(queries)) !== "file" || (await pathKind(qrels)) !== "file") return undefined;
  if (hasOpenEnd(queries) || hasOpenEnd(qrels)) await mend(folder);
  return { queries: await readQueries(queries), qrels: await readQrels(qrels) };
}

async function mend(folder: string): Promise<void> {
  try {
    (await JudgementLog.open(folder)).close();
  } catch (error) {
    // Somebody is judging just now: the next line ends what is open.
    if (!isMaxsimError(error) || error.code !== "LOCKED") throw error;
  }
}

/** Judges documents, one process at a time. */
export class JudgementLog {
  private readonly undoable: Array<{ readonly queryId: string; readonly documentId: string }> = [];

  private constructor(
    private readonly texts: Map<string, string>,
    private readonly grades: Map<string, Map<string, number>>,
    private readonly queryLog: LineLog,
    private readonly qrelsLog: LineLog,
    private readonly lock: WriterLock,
  ) {}

  /**
   * Opens the judgements of the index in `folder`, or begins them.
   * Errors: LOCKED when somebody else is judging, INVALID_INPUT naming a line that is no judgement, IO, DISK_FULL.
   */
  static async open(folder: string): Promise<JudgementLog> {
    const place = join(folder, JUDGEMENTS_FOLDER);
    await makeFolders(place);
    const lock = acquire(place);
    const logs: LineLog[] = [];
    try {
      const files = judgementFiles(folder);
      const queryLog = LineLog.open(files.queries, { isWhole: isJson });
      logs.push(queryLog);
      const isWhole = (line: string): boolean => /^[^\t]+\t[^\t]+\t(?:\d+|score)$/.test(line);
      const qrelsLog = LineLog.open(files.qrels, { head: HEAD, isWhole });
      logs.push(qrelsLog);
      const texts = new Map((await readQueries(files.queries)).map(({ id, text }) => [id, text]));
      const grades = new Map([...(await readQrels(files.qrels))].map(([id, known]) => [id, new Map(known)]));
      return new JudgementLog(texts, grades, queryLog, qrelsLog, lock);
    } catch (error) {
      for (const log of logs) log.close();
      lock.release();
      throw error;
    }
  }

  /** The queries so far, in their order. */
  queries(): Query[] {
    return [...this.texts].map(([id, text]) => ({ id, text }));
  }

  /** The grade that a document has for a query; undefined when it was not judged. */
  grade(queryId: string, documentId: string): number | undefined {
    return this.grades.get(queryId)?.get(documentId);
  }

  /** How many documents were judged for a query. */
  judged(queryId: string): number {
    return this.grades.get(queryId)?.size ?? 0;
  }

  /**
   * The id of a query: the given one, that of the same text, or a new one. The query is remembered with its first judgement.
   * Errors: INVALID_ARGUMENT for an id that has another text, or cannot stand in a line.
   */
  identify(text: string, id?: string): string {
    if (id === undefined) {
      for (const [known, other] of this.texts) if (other === text) return known;
      for (let number = this.texts.size + 1; ; number++) {
        if (!this.texts.has(`q${number}`)) return `q${number}`;
      }
    }
    checkColumn("query", id);
    const known = this.texts.get(id);
    if (known === undefined || known === text) return id;
    throw new MaxsimError(
      "INVALID_ARGUMENT",
      `the query ${describe(id)} was judged with another text: ${describe(known)}, now it is ${describe(text)}`,
      { hint: "Give the query another id." },
    );
  }

  /**
   * Keeps a judgement; it is durable then. `grade` 0 to 3. Errors: INVALID_ARGUMENT for an id that cannot stand in a line, and
   * for a pair that is judged already; DISK_FULL, IO.
   */
  judge(query: Query, documentId: string, grade: number): void {
    checkColumn("document", documentId);
    if (!Number.isInteger(grade) || grade < 0 || grade > MAX_GRADE) {
      throw new MaxsimError("INVALID_ARGUMENT", `a grade is 0 to ${MAX_GRADE}, found ${describe(grade)}`);
    }
    if (this.grade(query.id, documentId) !== undefined) {
      const pair = `${describe(documentId)} for the query ${describe(query.id)}`;
      throw new MaxsimError("INVALID_ARGUMENT", `${pair} is judged already`, { hint: "Take it back first." });
    }
    if (!this.texts.has(query.id)) {
      this.queryLog.append(JSON.stringify({ _id: query.id, text: query.text }));
      this.texts.set(query.id, query.text);
    }
    this.qrelsLog.append(`${query.id}\t${documentId}\t${grade}`);
    const grades = this.grades.get(query.id) ?? new Map<string, number>();
    this.grades.set(query.id, grades.set(documentId, grade));
    this.undoable.push({ queryId: query.id, documentId });
  }

  /** Takes back the last judgement of this object; false when there is none. Errors: IO. */
  undo(): boolean {
    const last = this.undoable.at(-1);
    if (last === undefined) return false;
    this.qrelsLog.removeLast();
    this.undoable.pop();
    this.grades.get(last.queryId)?.delete(last.documentId);
    return true;
  }

  close(): void {
    this.queryLog.close();
    this.qrelsLog.close();
    this.lock.release();
  }
}

/** Whether an id can stand in a column of qrels.tsv and be read back. */
export function fitsColumn(id: string): boolean {
  return id !== "" && id === id.trim() && !/[\t\n\r]/.test(id);
}

function checkColumn(what: string, id: string): void {
  if (fitsColumn(id)) return;
  const found = `found ${describe(id)}`;
  throw new MaxsimError(
    "INVALID_ARGUMENT",
    `the id of a judged ${what} must have no tab, line break, or space around it, ${found}`,
    { hint: "Give it another id." },
  );
}

function acquire(place: string): WriterLock {
  try {
    return WriterLock.acquire(place);
  } catch (error) {
    if (!isMaxsimError(error) || error.code !== "LOCKED") throw error;
    throw new MaxsimError("LOCKED", `somebody else is judging with this index, in ${place}`, {
      hint: "Wait until they are done.",
      cause: error,
    });
  }
}

function isJson(line: string): boolean {
  try {
    JSON.parse(line);
    return true;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}
