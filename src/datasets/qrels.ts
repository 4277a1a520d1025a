/** Relevance judgements. */
import { readLines } from "./lines.js";
import { invalidRecord } from "./record.js";

/** Grades by query id, then by document id; 0 and less is not relevant. */
export type Qrels = ReadonlyMap<string, ReadonlyMap<string, number>>;

export interface Judgement {
  readonly queryId: string;
  readonly documentId: string;
  readonly grade: number;
}

export interface QrelsOptions {
  /** Hears of a line that says again what an earlier one said. */
  readonly onRepeated?: (line: number, earlier: number) => void;
}

const HINT =
  "Lines are: query id, tab, document id, tab, grade (BEIR), or: query id, 0, document id, grade (TREC).";

/**
 * Judgements of a file: BEIR (three columns between tabs, with a header) or TREC (four columns between white space).
 * Errors: INVALID_INPUT naming the line, also for a pair judged twice with different grades; PATH_NOT_FOUND, IO.
 */
export async function readQrels(path: string, options: QrelsOptions = {}): Promise<Qrels> {
  const qrels = new Map<string, Map<string, number>>();
  const lines = new Map<string, Map<string, number>>();
  for await (const { line, queryId, documentId, grade } of readJudgements(path)) {
    const grades = qrels.get(queryId) ?? new Map<string, number>();
    const places = lines.get(queryId) ?? new Map<string, number>();
    qrels.set(queryId, grades);
    lines.set(queryId, places);
    const earlier = grades.get(documentId);
    const earlierLine = places.get(documentId) ?? 0;
    if (earlier !== undefined && earlier !== grade) {
      const reason = `${documentId} has the grade ${earlier} for ${queryId} in line ${earlierLine} already, here it is ${grade}`;
      throw invalidRecord(path, line, reason, {}, HINT);
    }
    if (earlier !== undefined) options.onRepeated?.(line, earlierLine);
    grades.set(documentId, grade);
    places.set(documentId, line);
  }
  return qrels;
}

/** The first line (1-based) whose judgement is meant; undefined when there is none. Errors as readQrels. */
export async function findJudgement(
  path: string,
  meant: (judgement: Judgement) => boolean,
): Promise<number | undefined> {
  for await (const { line, ...judgement } of readJudgements(path)) if (meant(judgement)) return line;
  return undefined;
}

/** The judgements with their lines, one at a time. */
async function* readJudgements(path: string): AsyncGenerator<Judgement & { readonly line: number }> {
  let first = true;
  for await (const { line, text } of readLines(path)) {
    if (text === undefined) throw invalidRecord(path, line, "the line is too long", {}, HINT);
    if (text.trim() === "") continue;
    const isFirst = first;
    first = false;
    const columns = splitColumns(text);
    const [queryId, documentId, grade] =
      columns.length === 4 ? [columns[0], columns[2], columns[3]] : columns;
    if (columns.length < 3 || columns.length > 4 || !queryId || !documentId || grade === undefined) {
      const found = columns.length < 3 || columns.length > 4 ? String(columns.length) : "an empty one";
      throw invalidRecord(path, line, `3 or 4 columns were expected, found ${found}`, {}, HINT);
    }
    if (!/^[+-]?\d+(?:\.\d+)?$/.test(grade)) {
      if (isFirst) continue;
      throw invalidRecord(path, line, `the grade must be a number, found ${JSON.stringify(grade)}`, {}, HINT);
    }
    yield { line, queryId, documentId, grade: Number(grade) };
  }
}

/** Ids of BEIR may hold spaces, so three columns between tabs come first. */
function splitColumns(text: string): string[] {
  const tabbed = text.split("\t").map((column) => column.trim());
  return tabbed.length === 3 ? tabbed : text.trim().split(/\s+/);
}
