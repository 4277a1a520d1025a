/** The first pass of an add: documents are checked, split and staged, and ids that the index has are found. */
import { throwIfAborted } from "../common/abort.js";
import { describe } from "../common/check.js";
import { MaxsimError } from "../common/errors.js";
import type { ProgressListener } from "../common/progress.js";
import type { Catalog } from "../documents/catalog.js";
import { checkDocument } from "../documents/check-document.js";
import type { Staging } from "../documents/staging.js";
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

/** Numbers of the live documents of the index that the staged ones replace. */
export class Replacements {
  readonly documentNos: number[] = [];
  private pending: string[] = [];

  constructor(private readonly catalog: Catalog) {}

  add(id: string): void {
    if (this.pending.push(id) >= GROUP) this.flush();
  }

  flush(): void {
    this.documentNos.push(...this.catalog.liveIds(this.pending).values());
    this.pending = [];
  }
}

export async function stageDocuments(
  documents: Documents,
  staging: Staging,
  replacements: Replacements,
  splitting: Splitting,
  signal: AbortSignal | undefined,
  onProgress: ProgressListener | undefined,
): Promise<void> {
  if (typeof documents !== "object" || documents === null || !isIterable(documents)) {
    throw new MaxsimError(
      "INVALID_ARGUMENT",
      `documents must be an array or iterable, found ${describe(documents)}`,
    );
  }
  const report = (): void =>
    onProgress?.({ stage: "read", done: staging.documents, total: undefined, unit: "documents" });
  for await (const document of documents) {
    throwIfAborted(signal, "adding documents");
    const { id, text } = checkDocument(document);
    staging.addDocument(document, splitDocument({ ...document, text }, splitting));
    replacements.add(id);
    if (staging.documents % GROUP === 0) report();
  }
  replacements.flush();
  staging.flush();
  report();
}

/** One passage that spans the whole text: what a document with vectors of its own becomes. */
export function wholeSpan(text: string): PassageSpan {
  const lines = text.split("\n").length;
  return { start: 0, end: text.length, lineStart: 1, lineEnd: lines, context: "" };
}

function isIterable(value: object): boolean {
  return Symbol.asyncIterator in value || Symbol.iterator in value;
}
