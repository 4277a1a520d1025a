/** The first pass of an add: documents are checked, split and staged, and ids that the index has are found. */
import { throwIfAborted } from "../common/abort.js";
import { describe, invalidArgument } from "../common/check.js";
import { MaxsimError } from "../common/errors.js";
import type { ProgressListener } from "../common/progress.js";
import type { Catalog } from "../documents/catalog.js";
import { checkDocument } from "../documents/check-document.js";
import type { OnDuplicate, Staging } from "../documents/staging.js";
import type { DocumentInput } from "../documents/types.js";
import { splitDocument } from "../text/split.js";
import type { PassageSpan, TokenCounter } from "../text/types.js";

export type Documents = Iterable<DocumentInput> | AsyncIterable<DocumentInput>;

export interface Splitting {
  /** Tokens that a passage may take, its context included. */
  readonly budget: number;
  readonly countTokens: TokenCounter;
}

/** Ids are looked up in groups of this many, and progress is reported as often. */
const GROUP = 500;

/** Stages documents and settles what happens to those whose id is taken, in the index or by an earlier one. */
export class DocumentStager {
  private readonly replacing = new Set<number>();
  private pending: string[] = [];
  private skippedCount = 0;

  constructor(
    private readonly catalog: Catalog,
    private readonly staging: Staging,
    private readonly onDuplicate: OnDuplicate,
  ) {}

  /** Numbers of the documents of the index that staged ones replace, ascending; complete after `finish`. */
  get replaced(): readonly number[] {
    return [...this.replacing].sort((a, b) => a - b);
  }

  /** Documents that were left out because their id is taken. */
  get skipped(): number {
    return this.skippedCount;
  }

  get documents(): number {
    return this.staging.documents;
  }

  /** False when the document was skipped. Errors: those of `Staging.addDocument`; DUPLICATE_ID. */
  add(document: DocumentInput, spans: readonly PassageSpan[]): boolean {
    if (this.onDuplicate !== "replace" && this.isTaken(document.id)) return this.skip();
    if (this.staging.addDocument(document, spans, this.onDuplicate) === null) return this.skip();
    if (this.onDuplicate === "replace" && this.pending.push(document.id) >= GROUP) this.flush();
    return true;
  }

  finish(): void {
    this.flush();
    this.staging.flush();
  }

  private skip(): false {
    this.skippedCount++;
    return false;
  }

  private isTaken(id: string): boolean {
    if (this.catalog.takenIds([id]).size === 0) return false;
    if (this.onDuplicate === "skip") return true;
    throw new MaxsimError("DUPLICATE_ID", `document id ${describe(id)} is in the index already`, {
      hint: "Leave the document out, or let it replace the one of the index.",
    });
  }

  private flush(): void {
    for (const documentNo of this.catalog.takenIds(this.pending).values()) this.replacing.add(documentNo);
    this.pending = [];
  }
}

export async function stageDocuments(
  documents: Documents,
  stager: DocumentStager,
  splitting: Splitting,
  signal: AbortSignal | undefined,
  onProgress: ProgressListener | undefined,
): Promise<void> {
  requireIterable(documents);
  const report = (): void =>
    onProgress?.({ stage: "read", done: stager.documents, total: undefined, unit: "documents" });
  let read = 0;
  for await (const document of documents) {
    throwIfAborted(signal, "adding documents");
    const { text } = checkDocument(checkedObject("a document", document));
    stager.add(document, splitDocument({ ...document, text }, splitting));
    if (++read % GROUP === 0) report();
  }
  stager.finish();
  report();
}

/** One passage that spans the whole text: what a document with vectors of its own becomes. */
export function wholeSpan(text: string): PassageSpan {
  const lines = text.split("\n").length;
  return { start: 0, end: text.length, lineStart: 1, lineEnd: lines, context: "" };
}

/** Errors: INVALID_ARGUMENT. */
export function requireIterable(documents: unknown): void {
  const iterable =
    typeof documents === "object" &&
    documents !== null &&
    (Symbol.asyncIterator in documents || Symbol.iterator in documents);
  if (!iterable) throw invalidArgument("documents", "an array or iterable", documents);
}

/** The value, which callers without types may have got wrong. Errors: INVALID_DOCUMENT. */
export function checkedObject<T extends object>(name: string, value: T): T {
  if (typeof value === "object" && value !== null) return value;
  throw new MaxsimError("INVALID_DOCUMENT", `${name} must be an object, found ${describe(value)}`, {
    hint: "Give objects with an id.",
  });
}
