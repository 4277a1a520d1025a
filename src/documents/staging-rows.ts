/** Rows of the staging file. They carry checksums as those of the catalog do; token counts come later, without. */
import { MaxsimError } from "../common/errors.js";
import type { PassageSpan } from "../text/types.js";
import type { CheckedDocument } from "./check-document.js";
import { type ColumnValue, checkRow } from "./row-checksum.js";

export const STAGING_SCHEMA = `
CREATE TABLE documents (document_no INTEGER PRIMARY KEY, id TEXT NOT NULL, title TEXT, url TEXT, metadata TEXT,
  source_path TEXT, source_line INTEGER, first_passage INTEGER NOT NULL, passages INTEGER NOT NULL,
  text TEXT NOT NULL, checksum INTEGER NOT NULL) STRICT;
CREATE UNIQUE INDEX documents_id ON documents(id);
CREATE TABLE passages (passage_no INTEGER PRIMARY KEY, document_no INTEGER NOT NULL, start INTEGER NOT NULL,
  "end" INTEGER NOT NULL, line_start INTEGER NOT NULL, line_end INTEGER NOT NULL, context TEXT NOT NULL,
  checksum INTEGER NOT NULL, tokens INTEGER NOT NULL) STRICT;
CREATE INDEX passages_document ON passages(document_no);
`;

/** Row of `documents`. */
export type StagedDocumentRow = [
  documentNo: number,
  id: string,
  title: string | null,
  url: string | null,
  metadata: string | null,
  sourcePath: string | null,
  sourceLine: number | null,
  firstPassage: number,
  passages: number,
  text: string,
  checksum: number,
];

/** Row of `passages`. */
export type StagedPassageRow = [
  passageNo: number,
  documentNo: number,
  start: number,
  end: number,
  lineStart: number,
  lineEnd: number,
  context: string,
  checksum: number,
  tokens: number,
];

/** A passage as it is handed to the encoder. */
export interface StagedPassage {
  readonly passageNo: number;
  readonly documentNo: number;
  /** Context, a space and the passage's own text, trimmed. */
  readonly text: string;
}

/** A document as commit copies it. */
export interface StagedDocument extends CheckedDocument {
  readonly documentNo: number;
  readonly firstPassage: number;
  readonly passages: number;
  /** Sum over its passages. */
  readonly tokens: number;
}

export interface StagedSpan extends PassageSpan {
  readonly passageNo: number;
  readonly documentNo: number;
  readonly tokens: number;
}

/** A passage row, checked. Errors: CORRUPT. */
export function toSpan(path: string, row: StagedPassageRow): StagedSpan {
  checkRow(path, "spans", row.slice(0, -1) as ColumnValue[]);
  const [passageNo, documentNo, start, end, lineStart, lineEnd, context, , tokens] = row;
  return { passageNo, documentNo, start, end, lineStart, lineEnd, context, tokens };
}

/** An error for a row that should be there. */
export function missingRow(path: string, what: string): MaxsimError {
  return new MaxsimError("CORRUPT", `${path} is damaged: ${what} is missing`, {
    hint: "Run the same add again.",
  });
}
