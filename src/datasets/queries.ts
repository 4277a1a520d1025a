/** Files of queries. */

import { parseFields } from "./jsonl.js";
import { readLines } from "./lines.js";
import { invalidRecord, RecordProblem, recordDocument } from "./record.js";

export interface Query {
  readonly id: string;
  readonly text: string;
}

/**
 * Queries of a file, in its order: JSONL with `_id` (or `id`) and `text`, as in BEIR, or lines of id, tab, text.
 * The first line that is not blank tells which. Errors: INVALID_INPUT naming the line, PATH_NOT_FOUND, IO.
 */
export async function readQueries(path: string): Promise<Query[]> {
  const queries: Query[] = [];
  const lines = new Map<string, number>();
  let parse: ((text: string) => Query) | undefined;
  for await (const { line, text } of readLines(path)) {
    if (text === undefined) throw invalidRecord(path, line, "the line is too long", {}, HINT);
    if (text.trim() === "") continue;
    parse ??= text.trimStart().startsWith("{") ? parseJson : parseTabbed;
    try {
      const query = parse(text);
      const earlier = lines.get(query.id);
      if (earlier !== undefined) {
        throw new RecordProblem(`the id ${JSON.stringify(query.id)} stands in line ${earlier} already`);
      }
      lines.set(query.id, line);
      queries.push(query);
    } catch (error) {
      if (!(error instanceof RecordProblem)) throw error;
      throw invalidRecord(path, line, error.message, {}, HINT);
    }
  }
  return queries;
}

const HINT = 'Each line is {"_id": "...", "text": "..."}, or an id, a tab and the text.';

function parseJson(text: string): Query {
  const fields = parseFields(text);
  if (!fields.has("_id") && !fields.has("id")) throw new RecordProblem('no field "_id" or "id"');
  const { id, text: query } = recordDocument(fields, { path: "", name: "" }, 0, {});
  return { id, text: query };
}

function parseTabbed(text: string): Query {
  const tab = text.indexOf("\t");
  const id = text.slice(0, Math.max(tab, 0)).trim();
  if (id === "") throw new RecordProblem("an id, a tab and the text were expected");
  return { id, text: text.slice(tab + 1).trim() };
}
