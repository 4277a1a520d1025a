/** Relevance judgements. */
import { readLines } from "./lines.js";
import { invalidRecord } from "./record.js";

/** Grades by query id, then by document id; 0 and less is not relevant. */
export type Qrels = ReadonlyMap<string, ReadonlyMap<string, number>>;

const HINT =
  "Lines are: query id, tab, document id, tab, grade (BEIR), or: query id, 0, document id, grade (TREC).";

/**
 * Judgements of a file: BEIR (three columns between tabs, with a header) or TREC (four columns between white space).
 * Errors: INVALID_INPUT naming the line, also for a pair judged twice with different grades; PATH_NOT_FOUND, IO.
 */
export async function readQrels(path: string): Promise<Qrels> {
  const qrels = new Map<string, Map<string, number>>();
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
      throw invalidRecord(path, line, `3 or 4 columns were expected, found ${columns.length}`, {}, HINT);
    }
    if (!/^[+-]?\d+(?:\.\d+)?$/.test(grade)) {
      if (isFirst) continue;
      throw invalidRecord(path, line, `the grade must be a number, found ${JSON.stringify(grade)}`, {}, HINT);
    }
    const grades = qrels.get(queryId) ?? new Map<string, number>();
    qrels.set(queryId, grades);
    const earlier = grades.get(documentId);
    if (earlier !== undefined && earlier !== Number(grade)) {
      const reason = `${documentId} has the grade ${earlier} for ${queryId} already, here it is ${grade}`;
      throw invalidRecord(path, line, reason, {}, HINT);
    }
    grades.set(documentId, Number(grade));
  }
  return qrels;
}

/** Ids of BEIR may hold spaces, so three columns between tabs come first. */
function splitColumns(text: string): string[] {
  const tabbed = text.split("\t").map((column) => column.trim());
  return tabbed.length === 3 ? tabbed : text.trim().split(/\s+/);
}
