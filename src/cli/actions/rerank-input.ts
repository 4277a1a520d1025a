/** Candidates for `maxsim rerank`: lines of documents, or of queries with their documents. */
import { abortedError, throwIfAborted } from "../../common/abort.js";
import { describe } from "../../common/check.js";
import { isMaxsimError, MaxsimError } from "../../common/errors.js";
import type { JsonValue } from "../../common/json.js";
import { readLines } from "../../datasets/lines.js";
import { documentId, documentText } from "../../rerank/document-text.js";
import { MAX_RERANK_DOCUMENTS, type RerankDocument, type RerankRequest } from "../../rerank/types.js";
import type { CommandContext } from "../context.js";

export interface CandidateOptions {
  /** For lines without a query of their own. */
  readonly query: string | undefined;
  readonly fields: readonly string[];
  /** Whether a document may be an id alone. */
  readonly byId: boolean;
  /** Throws for an id that is not known. */
  readonly checkKnown?: (id: string) => Promise<unknown>;
  /** Is told of lines that are left out; undefined: they are errors. */
  readonly onInvalid: ((message: string) => void) | undefined;
}

export interface Candidates extends RerankRequest {
  /** `query` and `query_id` as the lines had them; empty where the query is that of the command line. */
  readonly label: { readonly query?: string; readonly query_id?: JsonValue };
}

type Fields = Readonly<Record<string, JsonValue>>;

/** A line, understood. */
interface Line {
  readonly query: string;
  readonly label: Candidates["label"];
  readonly documents: readonly RerankDocument[];
  /** Whether the line is a request by itself. */
  readonly whole: boolean;
}

/** Characters of the texts that one request is made of at most. */
const MAX_CHARACTERS = 256 << 20;

const HINT =
  'A line is a JSON object with title and text, a JSON string, or {"query": "...", "documents": [...]}. --skip-invalid leaves out lines that cannot be read.';

/** Bytes of standard input, which a signal ends. */
export async function* standardInput({ stdin, stderr, signal }: CommandContext): AsyncGenerator<Uint8Array> {
  if (stdin.isTTY === true) stderr.write("reading candidates from standard input; Ctrl-D ends it\n");
  const stop = (): void => {
    stdin.destroy(abortedError(signal, "reading standard input"));
  };
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop, { once: true });
  try {
    yield* stdin as AsyncIterable<Uint8Array>;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/**
 * Requests in the order of the lines; documents of one query that stand side by side make one. `name` is that of messages.
 * Errors: INVALID_INPUT naming the line, PATH_NOT_FOUND, IO, ABORTED.
 */
export async function* readCandidates(
  source: { readonly name: string; readonly input?: AsyncIterable<Uint8Array> },
  options: CandidateOptions,
  signal: AbortSignal,
): AsyncGenerator<Candidates> {
  const { name, input } = source;
  let group: { query: string; label: Candidates["label"]; documents: RerankDocument[] } | undefined;
  let characters = 0;
  const lines = readLines(input === undefined ? name : { path: name, name, input });
  for await (const { line, text, length } of lines) {
    throwIfAborted(signal, `reading ${name}`);
    if (text?.trim() === "") continue;
    let read: Line;
    try {
      if (text === undefined) throw problem(`the line has ${length} bytes, more than can be read`);
      read = parseLine(text, options);
      for (const document of read.documents) await options.checkKnown?.(documentId(document) ?? "");
    } catch (error) {
      if (!isMaxsimError(error)) throw error;
      const message = `${name}:${line}: ${error.message}`;
      if (options.onInvalid === undefined) {
        throw new MaxsimError("INVALID_INPUT", message, { hint: error.hint ?? HINT, cause: error });
      }
      options.onInvalid(message);
      continue;
    }
    if (read.whole || (group !== undefined && !sameQuery(group, read))) {
      if (group !== undefined) yield group;
      group = undefined;
    }
    if (read.whole) {
      yield read;
      continue;
    }
    if (group === undefined) characters = 0;
    group ??= { query: read.query, label: read.label, documents: [] };
    group.documents.push(...read.documents);
    characters += text?.length ?? 0;
    if (group.documents.length > MAX_RERANK_DOCUMENTS || characters > MAX_CHARACTERS) {
      throw new MaxsimError(
        "INVALID_INPUT",
        `${name}:${line}: a query has at most ${MAX_RERANK_DOCUMENTS} documents, of ${MAX_CHARACTERS} characters together`,
        { hint: "Rerank the best few hundred of the first stage." },
      );
    }
  }
  if (group !== undefined) yield group;
}

function sameQuery(group: Pick<Line, "query" | "label">, line: Pick<Line, "query" | "label">): boolean {
  return group.query === line.query && JSON.stringify(group.label) === JSON.stringify(line.label);
}

function problem(message: string): MaxsimError {
  return new MaxsimError("INVALID_INPUT", message, { hint: HINT });
}

function parseLine(text: string, options: CandidateOptions): Line {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw problem(`not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (typeof value === "string") {
    const documents = [checkDocument("the text", value, options)];
    return { query: queryOf(undefined, options), label: {}, documents, whole: false };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw problem(`a JSON object or a text in quotes was expected, found ${describe(value)}`);
  }
  const { query, query_id: queryId, documents, ...rest } = value as Fields;
  const label = {
    ...(query === undefined ? {} : { query: queryOf(query, options) }),
    ...(queryId === undefined ? {} : { query_id: queryId }),
  };
  const asked = queryOf(query, options);
  if (documents === undefined) {
    return { query: asked, label, documents: [checkDocument("the document", rest, options)], whole: false };
  }
  if (!Array.isArray(documents)) throw problem(`documents must be an array, found ${describe(documents)}`);
  if (documents.length > MAX_RERANK_DOCUMENTS) {
    throw problem(`documents must be at most ${MAX_RERANK_DOCUMENTS}, found ${documents.length}`);
  }
  const checked = documents.map((document, i) => checkDocument(`documents[${i}]`, document, options));
  return { query: asked, label, documents: checked, whole: true };
}

function queryOf(own: JsonValue | undefined, { query }: CandidateOptions): string {
  if (own === undefined && query === undefined) {
    throw new MaxsimError("INVALID_INPUT", 'there is no query: the line has no field "query"', {
      hint: 'Give one for all lines with --query "...", or each line one of its own.',
    });
  }
  const asked = own ?? query;
  if (typeof asked === "string" && asked.trim() !== "") return asked;
  throw problem(`query must be a text that is not empty, found ${describe(asked)}`);
}

function checkDocument(name: string, value: unknown, { fields, byId }: CandidateOptions): RerankDocument {
  if (byId) return checkId(name, value);
  try {
    documentText(name, value as RerankDocument, fields);
  } catch (error) {
    if (!isMaxsimError(error)) throw error;
    throw new MaxsimError("INVALID_INPUT", error.message, {
      hint: "Name the fields that hold the text: --fields title,body",
      cause: error,
    });
  }
  return value as RerankDocument;
}

/** An id by itself, or a document that has one. */
function checkId(name: string, value: unknown): RerankDocument {
  if (typeof value === "string" && value !== "") return { id: value };
  const fields = typeof value === "object" && value !== null ? (value as { readonly id?: unknown }) : {};
  if (typeof fields.id === "string" && fields.id !== "") return value as RerankDocument;
  throw problem(`${name} must be an id of the index, or an object with one, found ${describe(value)}`);
}
