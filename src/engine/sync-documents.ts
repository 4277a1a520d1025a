/**
 * From files that changed to documents that changed. What a file holds now is compared with what the index has of it,
 * document by document: equal ones stay, those of which only id, url, metadata or source differ get a new row, and
 * only what is left is encoded.
 */
import { describe } from "../common/check.js";
import { MaxsimError } from "../common/errors.js";
import { holdsRecords, readOrSkip } from "../datasets/corpus-file.js";
import type { CorpusItem } from "../datasets/types.js";
import type { Catalog } from "../documents/catalog.js";
import { type CheckedDocument, checkDocument, describeSource } from "../documents/check-document.js";
import { toJsonText, toWellFormed } from "../documents/json-text.js";
import type {
  DocumentUpdate,
  Snapshot,
  SourceRecord,
  StoredDocument,
  StoredPassage,
} from "../documents/records.js";
import type { DocumentInput } from "../documents/types.js";
import { splitDocument } from "../text/split.js";
import type { PassageSpan } from "../text/types.js";
import type { Splitting } from "./stage.js";
import type { SyncPlan } from "./sync-plan.js";
import { contentKey, matchRecords, type RecordKey } from "./sync-records.js";
import type { ScannedFile, SkippedPath } from "./sync-scan.js";

export interface Reconciling {
  readonly catalog: Catalog;
  readonly snapshot: Snapshot;
  readonly plan: SyncPlan<SourceRecord, ScannedFile>;
  /** Files of the index by path, also of roots that this sync does not look at. */
  readonly sources: ReadonlyMap<string, SourceRecord>;
  /** Loads the model's tokenizer when it is called first. */
  readonly splitting: () => Promise<Splitting>;
  readonly signal?: AbortSignal | undefined;
}

/** What became of one file that was read. */
export interface FileOutcome {
  readonly file: ScannedFile;
  /** What the index remembers of the path, or of the one that it was renamed from. */
  readonly known: SourceRecord | undefined;
  /** Documents that it holds now. */
  readonly documents: number;
  /** Documents that the index had of it. */
  readonly before: number;
  /** Documents that are encoded or get a new row. */
  readonly differing: number;
}

/** Counts of documents. */
export interface DocumentCounts {
  /** New ones, which are encoded. */
  added: number;
  /** Their text, title or passages changed, so they are encoded again. */
  changed: number;
  /** Only id, url, metadata or source changed; nothing is encoded. */
  updated: number;
  removed: number;
}

type Work = { readonly file: ScannedFile; readonly known: SourceRecord | undefined };

/** Goes through the files of a plan once. */
export class Reconciler {
  readonly counts: DocumentCounts = { added: 0, changed: 0, updated: 0, removed: 0 };
  readonly updates: DocumentUpdate[] = [];
  readonly outcomes: FileOutcome[] = [];
  readonly skipped: SkippedPath[] = [];
  readonly invalid: Array<{ readonly path: string; readonly line: number; readonly reason: string }> = [];
  /** Invalid sequences of text files that became U+FFFD. */
  readonly replaced: Array<{ readonly path: string; readonly sequences: number }> = [];
  /** Files that could not be read. */
  readonly failed = new Set<string>();
  /** Those of them that the index has documents of, which stay as they are: their paths in the index. */
  readonly kept: string[] = [];
  /** Files that are gone, and that the index had documents of. */
  readonly lost: string[] = [];

  /** Ids of the documents read so far, and the file of each. */
  private readonly seen = new Map<string, ScannedFile>();
  /** Documents that the index had of files that were read or are gone. What nobody claims is removed. */
  private readonly candidates = new Set<number>();
  /** Documents that were found again, be it with another text. */
  private readonly claimed = new Set<number>();
  private readonly deleted = new Set<number>();
  /** Remembered files that need not hold any more what they held. */
  private readonly leaving: ReadonlySet<string>;

  constructor(private readonly context: Reconciling) {
    const { changed, renamed, gone } = context.plan;
    const known = [...changed, ...renamed].map((pair) => pair.known);
    this.leaving = new Set([...known, ...gone].map(({ path }) => path));
  }

  /**
   * The documents to encode, file after file in the order in which they were found; everything else is complete when this
   * is over. Errors: DUPLICATE_ID for an id in two files, INVALID_DOCUMENT, those of readOrSkip.
   */
  async *documents(): AsyncGenerator<DocumentInput> {
    const { added, changed, renamed, gone } = this.context.plan;
    const work: Work[] = [...added.map((file) => ({ file, known: undefined })), ...changed, ...renamed];
    work.sort((a, b) => a.file.order - b.file.order);
    for (const one of work) yield* this.readFile(one);
    for (const { path } of gone) if (this.candidatesOf(path).length > 0) this.lost.push(path);
    for (const documentNo of this.candidates) {
      if (!this.claimed.has(documentNo)) this.remove(documentNo);
    }
  }

  /** Documents that are replaced or removed, ascending. */
  get deletions(): number[] {
    return [...this.deleted].sort((a, b) => a - b);
  }

  private async *readFile(work: Work): AsyncGenerator<DocumentInput> {
    const before = work.known === undefined ? [] : this.candidatesOf(work.known.path);
    // A file before this one may hold some of them now.
    const left = before.filter(
      ({ documentNo }) => !this.claimed.has(documentNo) && !this.deleted.has(documentNo),
    );
    const matches = left.length === 0 ? [] : await this.match(left, work.file);
    for (const documentNo of matches) if (documentNo !== undefined) this.claimed.add(documentNo);
    let documents = 0;
    let differing = 0;
    for await (const item of this.itemsOf(work.file)) {
      if (item.kind === "skipped" && item.failed === true) {
        this.skipped.push({ path: item.path, reason: item.reason, failed: true });
        this.failed.add(work.file.path);
        if (documents === 0 && work.known !== undefined && left.length > 0) {
          for (const { documentNo } of left) this.claimed.add(documentNo);
          this.kept.push(work.known.path);
          return;
        }
        continue;
      }
      const next = this.documentOf(item);
      if (next === undefined) continue;
      const verdict = await this.compare(next, work, matches[documents++]);
      if (verdict !== "same") differing++;
      if (verdict === "encode") yield next;
    }
    this.outcomes.push({ ...work, documents, before: before.length, differing });
  }

  /** For each document of the file in order, the number of the one that it was. */
  private async match(
    before: readonly StoredDocument[],
    file: ScannedFile,
  ): Promise<Array<number | undefined>> {
    const now: RecordKey[] = [];
    for await (const item of this.itemsOf(file)) {
      if (item.kind !== "document") continue;
      const { id, text, title } = checkDocument(item.document);
      now.push({ id, content: contentKey(text, title) });
    }
    const known = before.map(({ documentNo, id, text, title }) => {
      return { documentNo, id, content: contentKey(text, title ?? null) };
    });
    return matchRecords(known, now);
  }

  private itemsOf({ file, root }: ScannedFile): AsyncGenerator<CorpusItem> {
    const { signal } = this.context;
    return readOrSkip(file, { ...root.options, ...(signal === undefined ? {} : { signal }) });
  }

  /** What is read besides documents is noted. */
  private documentOf(item: CorpusItem): DocumentInput | undefined {
    if (item.kind === "skipped") this.skipped.push({ path: item.path, reason: item.reason });
    if (item.kind === "invalid") this.invalid.push({ path: item.path, line: item.line, reason: item.reason });
    if (item.kind !== "document") return undefined;
    const { document, replaced } = item;
    if (replaced !== undefined && document.source !== undefined) {
      this.replaced.push({ path: document.source.path, sequences: replaced });
    }
    return document;
  }

  /** @param match number of the document that this one was, when the index had the file. */
  private async compare(
    next: DocumentInput,
    work: Work,
    match: number | undefined,
  ): Promise<"same" | "update" | "encode"> {
    const { catalog, snapshot } = this.context;
    const checked = checkDocument(next);
    this.refuseTwice(checked, work.file);
    const holder = catalog.liveById(checked.id, snapshot);
    if (holder !== undefined) this.refuseForeign(holder, checked, work);
    // A document that another one was found to be goes on under that one's id.
    const free = holder !== undefined && !this.claimed.has(holder.documentNo) ? holder : undefined;
    const stored = match === undefined ? free : catalog.documents([match], snapshot.generation).get(match)!;
    if (free !== undefined && free !== stored) this.remove(free.documentNo);
    if (stored === undefined) {
      this.counts.added++;
      return "encode";
    }
    this.claimed.add(stored.documentNo);
    if (!(await this.sameContent(stored, checked, next, work))) {
      this.deleted.add(stored.documentNo);
      this.counts.changed++;
      return "encode";
    }
    if (sameLabels(stored, checked)) return "same";
    this.updates.push(updateOf(stored.documentNo, next));
    this.counts.updated++;
    return "update";
  }

  /** Whether the vectors of the stored document are those of the new one, and its passages stand in the same lines. */
  private async sameContent(
    stored: StoredDocument,
    checked: CheckedDocument,
    next: DocumentInput,
    { file, known }: Work,
  ): Promise<boolean> {
    if (stored.text !== checked.text || (stored.title ?? null) !== checked.title) return false;
    const origin = stored.source?.path;
    // Records have no structure and count lines in their text: it alone decides how they are split.
    if (origin !== undefined && holdsRecords(origin) && holdsRecords(file.path)) return true;
    // The same bytes through the same extractor.
    if (known !== undefined && origin === known.path && known.sha256 === file.sha256) return true;
    const spans = splitDocument({ ...next, text: checked.text }, await this.context.splitting());
    if (spans.length !== stored.passages) return false;
    return this.context.catalog.passagesOf(stored).every((passage, i) => samePassage(passage, spans[i]!));
  }

  private refuseTwice({ id, sourcePath, sourceLine }: CheckedDocument, file: ScannedFile): void {
    const first = this.seen.get(id);
    this.seen.set(id, file);
    if (first !== undefined) throw sharedId(id, first.path, describeSource(sourcePath, sourceLine, 0));
  }

  /** An id that a file has which this sync did not read belongs to that file. */
  private refuseForeign(
    holder: StoredDocument,
    { id, sourcePath, sourceLine }: CheckedDocument,
    work: Work,
  ): void {
    const owner = holder.source?.path;
    if (owner === undefined || owner === work.file.path || this.leaving.has(owner)) return;
    if (this.context.sources.has(owner)) throw sharedId(id, owner, describeSource(sourcePath, sourceLine, 0));
  }

  private candidatesOf(path: string): StoredDocument[] {
    const documents = this.context.catalog.documentsOfSource(path, this.context.snapshot);
    for (const { documentNo } of documents) this.candidates.add(documentNo);
    return documents;
  }

  private remove(documentNo: number): void {
    if (this.deleted.has(documentNo)) return;
    this.deleted.add(documentNo);
    this.counts.removed++;
  }
}

function samePassage(stored: StoredPassage, span: PassageSpan): boolean {
  const { start, end, lineStart, lineEnd } = span;
  return (
    stored.start === start &&
    stored.end === end &&
    stored.lineStart === lineStart &&
    stored.lineEnd === lineEnd &&
    stored.context === toWellFormed(span.context)
  );
}

/** Whether everything but text and title is the same. */
function sameLabels(stored: StoredDocument, next: CheckedDocument): boolean {
  return (
    stored.id === next.id &&
    (stored.url ?? null) === next.url &&
    toJsonText(stored.metadata, { sortKeys: false }) === (next.metadata ?? "{}") &&
    (stored.source?.path ?? null) === next.sourcePath &&
    (stored.source?.line ?? null) === next.sourceLine
  );
}

function updateOf(documentNo: number, { id, url, metadata, source }: DocumentInput): DocumentUpdate {
  return { documentNo, id, url: url ?? null, metadata: metadata ?? null, source: source ?? null };
}

function sharedId(id: string, first: string, then: string): MaxsimError {
  return new MaxsimError(
    "DUPLICATE_ID",
    `document id ${describe(id)} appears twice: in ${first}, and ${then}`,
    {
      hint: "Give each record of the files of one index its own id, or sync them into two indexes.",
    },
  );
}
