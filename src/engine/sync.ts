/** `Index.sync`: compares what the index remembers of its files with what they are now, and commits the difference. */
import { throwIfAborted } from "../common/abort.js";
import { readerOf } from "../datasets/corpus-file.js";
import { Catalog, type CatalogChange } from "../documents/catalog.js";
import type { Snapshot, SourceRecord } from "../documents/records.js";
import { Staging } from "../documents/staging.js";
import type { DocumentInput } from "../documents/types.js";
import { splitDocument } from "../text/split.js";
import type { ModelHandle } from "./model-handle.js";
import { DocumentStager, type Splitting, stageDocuments } from "./stage.js";
import { Reconciler } from "./sync-documents.js";
import { checkSyncOptions, checkSyncPaths, namedReadingOptions } from "./sync-options.js";
import { planSync, type SyncPlan } from "./sync-plan.js";
import type { SyncOptions, SyncReport } from "./sync-report.js";
import { syncScopes } from "./sync-roots.js";
import { type Scan, type ScannedFile, scanScopes } from "./sync-scan.js";
import { rememberedChange, rememberedRoots } from "./sync-sources.js";
import { type WriteContext, type Writer, withWriter } from "./writer.js";
import { buildStaged, withEncoder } from "./writing.js";

/**
 * Brings the index up to date with files and folders: `paths`, or all that it remembers when `paths` is undefined. One
 * generation, all or nothing; none when there is nothing to record. Documents that were not read from the files are left
 * alone.
 * Errors: INVALID_ARGUMENT, PATH_NOT_FOUND and EMPTY_CORPUS for a path that is gone or lost all of its files (see
 * `allowEmpty`), DUPLICATE_ID for an id in two files, INVALID_INPUT, UNKNOWN_COLUMN, LOCKED, ABORTED, DISK_FULL, IO, MODEL_*.
 */
export async function syncIndex(
  context: WriteContext,
  model: ModelHandle,
  paths: readonly string[] | undefined,
  options: SyncOptions = {},
): Promise<SyncReport> {
  checkSyncPaths(paths);
  checkSyncOptions(options);
  const call = { context, model, paths, options };
  if (options.dryRun !== true) return withWriter(context, (writer) => writeSync(writer, call));
  const catalog = Catalog.open(context.folder, { readOnly: true });
  try {
    const run = await prepare(catalog, catalog.snapshot(), call);
    let passages = 0;
    for await (const document of run.reconciler.documents()) {
      passages += splitDocument(document, await run.splitting()).length;
    }
    return reportOf(run, { generation: run.snapshot.generation, passages, tokens: 0, resumed: 0 });
  } finally {
    catalog.close();
  }
}

interface SyncCall {
  readonly context: WriteContext;
  readonly model: ModelHandle;
  readonly paths: readonly string[] | undefined;
  readonly options: SyncOptions;
}

interface SyncRun {
  readonly snapshot: Snapshot;
  readonly options: SyncOptions;
  readonly scan: Scan<SourceRecord>;
  readonly plan: SyncPlan<SourceRecord, ScannedFile>;
  readonly reconciler: Reconciler;
  readonly splitting: () => Promise<Splitting>;
  /** What is remembered from now on; call it when all documents were read. */
  readonly remembered: () => Pick<CatalogChange, "roots" | "sources">;
}

/** Looks at the files; nothing of their documents is read yet. */
async function prepare(catalog: Catalog, snapshot: Snapshot, call: SyncCall): Promise<SyncRun> {
  const { context, model, paths, options } = call;
  const { allowEmpty = false, checksum = false, signal, onProgress } = options;
  const sources = catalog.sources(snapshot);
  const roots = rememberedRoots(catalog.path, catalog.roots(snapshot));
  const scopes = syncScopes(paths, roots, namedReadingOptions(options));
  const excludePaths = [context.folder];
  const scan = await scanScopes(scopes, sources, { excludePaths, allowEmpty, checksum, signal, onProgress });
  const plan = planSync(scan.known, scan.found, { exists: scan.unread, readerOf });
  if (plan.kept.length > 0) {
    const list = plan.kept.map(({ path }) => path).join(", ");
    context.logger.warn(`could not read what is indexed already, which stays as it was: ${list}`);
  }
  const splitting = async (): Promise<Splitting> => {
    const tokenizer = await model.documentTokenizer();
    return { budget: tokenizer.documentBudget, countTokens: (text) => tokenizer.countTokens(text) };
  };
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const reconciler = new Reconciler({ catalog, snapshot, plan, sources: byPath, splitting, signal });
  const { vanished } = scan;
  const { nextRoot } = snapshot;
  const { failed } = reconciler;
  const remembered = () => rememberedChange({ scopes, plan, sources, vanished, failed, nextRoot });
  return { snapshot, options, scan, plan, reconciler, splitting, remembered };
}

async function writeSync(writer: Writer, call: SyncCall): Promise<SyncReport> {
  const { context, model, options } = call;
  const { snapshot, catalog } = writer;
  const run = await prepare(catalog, snapshot, call);
  const { reconciler, remembered } = run;
  const documents = reconciler.documents();
  // Without a document to encode the model is not loaded.
  const first = await documents.next();
  if (first.done === true) {
    const generation = commitSync(writer, options, {
      operation: "sync",
      deleteDocuments: reconciler.deletions,
      updateDocuments: reconciler.updates,
      ...remembered(),
    });
    return reportOf(run, { generation, passages: 0, tokens: 0, resumed: 0 });
  }
  const staging = Staging.create(context.folder, {
    firstDocument: snapshot.nextDocument,
    firstPassage: snapshot.nextPassage,
  });
  try {
    // What gives way is known to the reconciler, which lets each id pass once.
    const stager = new DocumentStager(catalog, staging, "replace");
    const { signal, onProgress } = options;
    await stageDocuments(
      startingWith(first.value, documents),
      stager,
      await run.splitting(),
      signal,
      onProgress,
    );
    return await withEncoder(writer, model, async (source) => {
      const { change, tokens } = await buildStaged(writer, staging, source, options);
      const generation = commitSync(writer, options, {
        operation: "sync",
        staging,
        ...change,
        deleteDocuments: reconciler.deletions,
        updateDocuments: reconciler.updates,
        ...remembered(),
      });
      return reportOf(run, { generation, passages: staging.passages, tokens, resumed: source.resumed });
    });
  } finally {
    staging.remove();
  }
}

/** The generation that holds the change; the one before when it changes nothing. */
function commitSync(writer: Writer, { signal, onProgress }: SyncOptions, change: CatalogChange): number {
  throwIfAborted(signal, "the sync");
  const { staging, deleteDocuments = [], updateDocuments = [], roots, sources } = change;
  const rows = [deleteDocuments, updateDocuments, roots!.add, roots!.drop, sources!.add, sources!.drop];
  if (staging === undefined && rows.every(({ length }) => length === 0)) return writer.snapshot.generation;
  const total = (staging?.documents ?? 0) + deleteDocuments.length + updateDocuments.length;
  onProgress?.({ stage: "commit", done: 0, total, unit: "documents" });
  const generation = writer.commit(change);
  onProgress?.({ stage: "commit", done: total, total, unit: "documents" });
  return generation;
}

async function* startingWith(
  first: DocumentInput,
  rest: AsyncGenerator<DocumentInput>,
): AsyncGenerator<DocumentInput> {
  yield first;
  yield* rest;
}

function reportOf(
  { options, scan, plan, reconciler }: SyncRun,
  written: Pick<SyncReport, "generation" | "passages" | "tokens" | "resumed">,
): SyncReport {
  const { outcomes, skipped, invalid, replaced, counts, lost, kept } = reconciler;
  const withDocuments = outcomes.filter(({ documents, before }) => documents + before > 0);
  const changed = withDocuments.filter(({ file, known, documents, before, differing }) => {
    if (known === undefined || known.path !== file.path) return false;
    return known.sha256 !== file.sha256 || differing > 0 || documents !== before;
  });
  const renamed = withDocuments.flatMap(({ file, known }) =>
    known === undefined || known.path === file.path ? [] : [{ from: known.path, to: file.path }],
  );
  const reread = plan.changed.length - changed.length - kept.length;
  return {
    ...written,
    dryRun: options.dryRun === true,
    added: withDocuments.filter(({ known }) => known === undefined).map(({ file }) => file.path),
    changed: changed.map(({ file }) => file.path),
    renamed,
    touched: plan.touched.map(({ file }) => file.path),
    removed: lost,
    kept: [...plan.kept.map(({ path }) => path), ...kept],
    unchanged: plan.unchanged.length + reread,
    documents: { ...counts },
    skipped: { files: [...scan.skipped, ...skipped], records: invalid, replaced },
  };
}
