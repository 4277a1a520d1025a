/** JSON Lines: one object a line; the corpus.jsonl of BEIR as well. */
import { describe } from "../common/check.js";
import type { JsonValue } from "../common/json.js";
import { readLines } from "./lines.js";
import { type Fields, invalidRecord, RecordProblem, recordDocument } from "./record.js";
import type { CorpusItem, RecordFile, RecordOptions } from "./types.js";

/** Documents of a JSONL file, read line by line; blank lines are passed over. Errors: INVALID_INPUT, IO. */
export async function* readJsonl(file: RecordFile, options: RecordOptions): AsyncGenerator<CorpusItem> {
  for await (const { line, text, length } of readLines(file)) {
    if (text === undefined) {
      yield invalidRecord(file.path, line, `the line has ${length} bytes, more than can be read`, options);
      continue;
    }
    if (text.trim() === "") continue;
    try {
      yield { kind: "document", document: recordDocument(parseFields(text), file, line, options) };
    } catch (error) {
      if (!(error instanceof RecordProblem)) throw error;
      yield invalidRecord(file.path, line, error.message, options);
    }
  }
}

/** The fields of a line that holds a JSON object. Errors: RecordProblem. */
export function parseFields(text: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new RecordProblem(`not JSON: ${(error as Error).message}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new RecordProblem(`a JSON object was expected, found ${describe(value)}`);
  }
  return new Map(Object.entries(value as Record<string, JsonValue>));
}
