/** Checks of a document before anything of it is stored, so that a refused one leaves no trace. */
import { describe } from "../common/check.js";
import { MaxsimError } from "../common/errors.js";
import type { PassageSpan } from "../text/types.js";
import { isWellFormed, NotJsonError, toJsonText, toWellFormed } from "./json-text.js";
import type { DocumentInput } from "./types.js";

const MAX_ID_BYTES = 1024;
/** SQLite's limit for one row is 1,000,000,000 bytes. */
const MAX_TEXT_BYTES = 500_000_000;

/** A document in the form in which it is stored. */
export interface CheckedDocument {
  readonly id: string;
  readonly text: string;
  readonly title: string | null;
  readonly url: string | null;
  /** JSON text. */
  readonly metadata: string | null;
  readonly sourcePath: string | null;
  readonly sourceLine: number | null;
}

/** Where a document came from, for messages: `path:line`, or its place in the input (0-based `ordinal`). */
export function describeSource(path: string | null, line: number | null, ordinal: number): string {
  if (path === null) return `as document ${ordinal + 1} of the input`;
  return line === null ? `in ${path}` : `in ${path}:${line}`;
}

function invalid(id: string, problem: string): MaxsimError {
  return new MaxsimError("INVALID_DOCUMENT", `document ${describe(id)}: ${problem}`, {
    hint: "Correct or leave out this document.",
  });
}

/** An external id: 1 to 1,024 UTF-8 bytes, no NUL, no lone surrogates. Errors: INVALID_DOCUMENT. */
export function checkId(id: unknown): string {
  const problem = idProblem(id);
  if (problem !== undefined) {
    throw new MaxsimError(
      "INVALID_DOCUMENT",
      `a document id must be a string of 1 to ${MAX_ID_BYTES} UTF-8 bytes, found ${problem}`,
      { hint: "Give each document a unique id." },
    );
  }
  return id as string;
}

function idProblem(id: unknown): string | undefined {
  if (typeof id !== "string") return describe(id);
  if (id.length === 0) return "an empty string";
  const bytes = Buffer.byteLength(id);
  if (bytes > MAX_ID_BYTES) return `${bytes} bytes: ${describe(id)}`;
  if (id.includes("\0")) return `a NUL character in ${describe(id)}`;
  if (!isWellFormed(id)) return `a lone surrogate in ${describe(id)}`;
  return undefined;
}

function optionalText(id: string, name: string, value: unknown): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value !== "string") throw invalid(id, `${name} must be a string, found ${describe(value)}`);
  return toWellFormed(value);
}

function metadataText(id: string, metadata: unknown): string | null {
  if (metadata === undefined || metadata === null) return null;
  if (typeof metadata !== "object" || Array.isArray(metadata)) {
    throw invalid(id, `metadata must be an object, found ${describe(metadata)}`);
  }
  try {
    const text = toJsonText(metadata, { sortKeys: false });
    return text === "{}" ? null : text;
  } catch (error) {
    if (!(error instanceof NotJsonError)) throw error;
    throw invalid(id, `metadata must be JSON: ${error.message.replace(/^the value/, "metadata")}`);
  }
}

/** Errors: INVALID_DOCUMENT naming the id and the field. */
export function checkDocument(input: DocumentInput): CheckedDocument {
  const id = checkId(input.id);
  if (typeof input.text !== "string")
    throw invalid(id, `text must be a string, found ${describe(input.text)}`);
  const text = toWellFormed(input.text);
  if (Buffer.byteLength(text) > MAX_TEXT_BYTES) {
    throw invalid(id, `text must be at most ${MAX_TEXT_BYTES} bytes, found ${Buffer.byteLength(text)}`);
  }
  const line = input.source?.line;
  if (line !== undefined && !(Number.isSafeInteger(line) && line >= 0)) {
    throw invalid(id, `source.line must be a line number, found ${describe(line)}`);
  }
  return {
    id,
    text,
    title: optionalText(id, "title", input.title),
    url: optionalText(id, "url", input.url),
    metadata: metadataText(id, input.metadata),
    sourcePath: optionalText(id, "source.path", input.source?.path),
    sourceLine: line ?? null,
  };
}

/** Spans come from splitting, so a bad one is a bug. Errors: INTERNAL. */
export function checkSpan(id: string, text: string, span: PassageSpan): void {
  const { start, end, lineStart, lineEnd, context } = span;
  const integers = [start, end, lineStart, lineEnd].every(
    (value) => Number.isSafeInteger(value) && value >= 0,
  );
  if (!integers || start > end || end > text.length || typeof context !== "string") {
    throw new MaxsimError(
      "INTERNAL",
      `document ${describe(id)}: the passage ${start}..${end} (lines ${lineStart}..${lineEnd}) does not lie in a text of ${text.length}`,
    );
  }
}
