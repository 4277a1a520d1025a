/** The public `Index`: one folder on disk, opened for adding, deleting and searching. */
import { createHash } from "node:crypto";
import { resolve } from "node:path";
import { checkInteger, checkOneOf, checkString, invalidArgument } from "../common/check.js";
import { isMaxsimError, MaxsimError } from "../common/errors.js";
import { type Logger, silentLogger } from "../common/logger.js";
import { Catalog } from "../documents/catalog.js";
import { lexicalKind, type StoredDocument } from "../documents/records.js";
import type { DocumentInput } from "../documents/types.js";
import { type SelectedKernels, selectKernels } from "../kernels/select.js";
import type { Reranker } from "../rerank/types.js";
import { fileLength, makeFolders } from "../storage/folders.js";
import { SearchPool } from "../workers/search-pool.js";
import { type BackupOptions, type BackupReport, backupIndex } from "./backup.js";
import { afterCompaction, type CompactOptions, type CompactReport, compactIndex } from "./compact.js";
import { createSettings } from "./create-settings.js";
import { type FilterArgument, filterCondition } from "./filtering.js";
import { historyOf } from "./history.js";
import { OpenedFolder, openForReading, requireNoReplacement } from "./index-folder.js";
import { ModelHandle } from "./model-handle.js";
import type {
  AddOptions,
  AddReport,
  CreateOptions,
  DeleteReport,
  DocumentPatch,
  EmbeddedDocument,
  HistoryEntry,
  HistoryOptions,
  IndexInfo,
  ListOptions,
  OpenOptions,
  SearchOptions,
  SearchResult,
  SegmentInfo,
  UpdateReport,
} from "./options.js";
import { type RestoreOptions, type RestoreReport, restoreIndex } from "./restore.js";
import type { VectorRows } from "./rows.js";
import { type ReadContext, searchTexts, searchVectors } from "./searching.js";
import { Snapshots } from "./snapshots.js";
import { StoredReranker } from "./stored-reranker.js";
import { syncIndex } from "./sync.js";
import type { SyncOptions, SyncReport } from "./sync-report.js";
import { type VerifyOptions, type VerifyReport, verifyIndex } from "./verify.js";
import type { WriteContext } from "./writer.js";
import { addDocuments, addVectors, deleteDocuments, updateDocuments } from "./writing.js";

const DEFAULT_LIST = 100;

/**
 * A late-interaction index in a folder.
 *
 * Each `add` or `delete` makes one generation, all or nothing. A search answers from the generation that this
 * object loaded last: its own writes are seen at once, those of other processes after `refresh()`.
 */
export class Index {
  private closed = false;
  private readonly running = new Set<Promise<unknown>>();
  private readonly opened: OpenedFolder;

  private constructor(
    /** Absolute path. */
    readonly folder: string,
    private readonly catalog: Catalog,
    private readonly snapshots: Snapshots,
    private readonly model: ModelHandle,
    private readonly kernels: SelectedKernels,
    private readonly searches: SearchPool,
    private readonly logger: Logger,
    private readonly compaction: "auto" | "off",
  ) {
    this.opened = new OpenedFolder(catalog);
  }

  /**
   * Makes an empty index in `folder`, which is created when it does not exist.
   * Errors: INDEX_EXISTS, INVALID_ARGUMENT, MODEL_NOT_FOUND, MODEL_INVALID, IO, DISK_FULL.
   */
  static async create(folder: string, options: CreateOptions = {}): Promise<Index> {
    const path = resolve(checkString("folder", folder));
    const settings = await createSettings(options);
    await requireNoReplacement(path);
    await makeFolders(path);
    // Derived from the settings, not random: the same input gives the same files, byte for byte.
    const indexId = createHash("sha256").update(JSON.stringify(settings)).digest("hex").slice(0, 32);
    Catalog.create(path, { indexId, settings }).close();
    const { model, ...rest } = options;
    return Index.open(path, model === null || model === undefined ? rest : { ...rest, model });
  }

  /**
   * Opens an index. Small files of its newest generation are verified, the blocks of large ones when they are first read:
   * then a search may throw CORRUPT.
   * Errors: INDEX_NOT_FOUND, FORMAT_TOO_NEW, CORRUPT naming the file, IO. A model is loaded at first use.
   */
  static async open(folder: string, options: OpenOptions = {}): Promise<Index> {
    const path = resolve(checkString("folder", folder));
    const threads =
      options.threads === undefined ? undefined : checkInteger("threads", options.threads, 1, 256);
    const logger = options.logger ?? silentLogger;
    const compaction = checkOneOf("compaction", options.compaction ?? "auto", ["auto", "off"] as const);
    const catalog = await openForReading(path);
    let model: ModelHandle | undefined;
    try {
      const recorded = catalog.snapshot().settings.model;
      model = new ModelHandle({ recorded, wanted: options.model, threads, logger });
      // The model's thread loads while this one reads the segments.
      if (options.warm === true) model.warm();
      const kernels = selectKernels();
      const snapshots = await Snapshots.open(path, catalog, kernels.mapper);
      const searches = new SearchPool(kernels.backend, threads);
      return new Index(path, catalog, snapshots, model, kernels, searches, logger, compaction);
    } catch (error) {
      await model?.close();
      catalog.close();
      throw error;
    }
  }

  /**
   * Adds documents, replacing those of the same id. Texts are split into passages that fit the model.
   * One generation, all or nothing: when this throws, or is aborted, the index is as it was.
   * Errors: INVALID_DOCUMENT, DUPLICATE_ID (twice in one call), LOCKED, ABORTED, DISK_FULL, IO, MODEL_*.
   */
  add(
    documents: Iterable<DocumentInput> | AsyncIterable<DocumentInput>,
    options: AddOptions = {},
  ): Promise<AddReport> {
    return this.write((context) => addDocuments(context, this.model, documents, options));
  }

  /**
   * Adds documents with token vectors of your own, each as one passage; see `add`.
   * Further errors: DIMENSION_MISMATCH, INVALID_VECTOR.
   */
  addEmbeddings(
    documents: Iterable<EmbeddedDocument> | AsyncIterable<EmbeddedDocument>,
    options: AddOptions = {},
  ): Promise<AddReport> {
    return this.write((context) => {
      const { dim } = this.snapshots.newest.catalog.settings;
      return addVectors(context, dim, documents, options);
    });
  }

  /**
   * Deletes documents by id, or all that match a filter; unknown ids are ignored and not counted.
   * Errors: INVALID_ARGUMENT, INVALID_FILTER, LOCKED, DISK_FULL, IO.
   */
  delete(which: readonly string[] | { readonly filter: FilterArgument }): Promise<DeleteReport> {
    return this.write(async (context) => {
      if (Array.isArray(which)) return deleteDocuments(context, which as readonly string[]);
      const filter = (which as { filter?: FilterArgument } | null)?.filter;
      if (filter === undefined) throw invalidArgument("which", "an array of ids, or { filter }", which);
      return deleteDocuments(context, filterCondition(filter));
    });
  }

  /**
   * Changes title, url or metadata of documents without encoding them again. One generation, all or nothing.
   * Errors: UNKNOWN_DOCUMENT, INVALID_DOCUMENT, LOCKED, DISK_FULL, IO.
   */
  update(patches: readonly DocumentPatch[]): Promise<UpdateReport> {
    return this.write(async (context) => {
      if (!Array.isArray(patches)) throw invalidArgument("patches", "an array of new values", patches);
      return updateDocuments(context, patches);
    });
  }

  /**
   * The best documents for a query in natural language, best first.
   * Errors: INVALID_ARGUMENT (empty query, k), MODEL_MISMATCH, MODEL_*, ABORTED, CLOSED.
   */
  search(query: string, options: SearchOptions = {}): Promise<SearchResult> {
    return this.read(async (context) => {
      const [result] = await searchTexts(context, () => this.model.encoder(), [query], options);
      return result!;
    });
  }

  /** As `search`, with 1 to 64 query token vectors of your own. */
  searchEmbeddings(vectors: VectorRows, options: SearchOptions = {}): Promise<SearchResult> {
    return this.read(async (context) => {
      const [result] = await searchVectors(context, [vectors], options);
      return result!;
    });
  }

  /**
   * `search` for many queries, one result a query in their order. They share passes over the codebook and all threads, so
   * this answers more queries a second than single calls; the results are the same.
   */
  searchBatch(queries: readonly string[], options: SearchOptions = {}): Promise<SearchResult[]> {
    return this.read((context) => searchTexts(context, () => this.model.encoder(), queries, options));
  }

  /** As `searchBatch`, with token vectors of your own. */
  searchEmbeddingsBatch(
    queries: readonly VectorRows[],
    options: SearchOptions = {},
  ): Promise<SearchResult[]> {
    return this.read((context) => searchVectors(context, queries, options));
  }

  /**
   * Puts documents, named by `id` as hits are, into the order of their stored vectors; those with a text that the index does
   * not have are encoded. It lives as long as the index. Errors of its calls: UNKNOWN_DOCUMENT, see `StoredReranker`.
   */
  reranker({ logger = this.logger }: { readonly logger?: Logger } = {}): Reranker {
    const modelName = this.info().model ?? "";
    return new StoredReranker({ modelName, model: this.model, read: (work) => this.read(work) }, logger);
  }

  /**
   * Brings the index up to date with files and folders, or with all that it remembers when `paths` is undefined: what
   * changed is encoded, what is gone is removed. One generation, all or nothing; see `SyncOptions`.
   * Errors: PATH_NOT_FOUND, EMPTY_CORPUS, DUPLICATE_ID, INVALID_INPUT, LOCKED, ABORTED, DISK_FULL, IO, MODEL_*.
   */
  sync(paths?: readonly string[], options: SyncOptions = {}): Promise<SyncReport> {
    return this.write((context) => syncIndex(context, this.model, paths, options));
  }

  /**
   * Merges segments and drops what was deleted; scores stay the same, bit for bit, unless `recluster` is asked for. Writes
   * do some of it by themselves. Errors: LOCKED, CORRUPT, ABORTED, DISK_FULL, IO.
   */
  async compact(options: CompactOptions = {}): Promise<CompactReport> {
    const report = await this.write((context) => compactIndex(context, options));
    try {
      const { generation, removedFiles } = await this.write((context) => afterCompaction(context, options));
      return { ...report, generation, removedFiles: report.removedFiles + removedFiles };
    } catch (error) {
      // Another writer was faster; it removes what is left.
      if (isMaxsimError(error) && error.code === "LOCKED") return report;
      throw error;
    }
  }

  /**
   * Copies the index, as it is now, to a new folder or to an archive ending in `.tar`, while others read and write it.
   * Errors: INVALID_ARGUMENT, INDEX_EXISTS, CORRUPT, ABORTED, DISK_FULL, IO.
   */
  backup(target: string, options: BackupOptions = {}): Promise<BackupReport> {
    return this.track(() => backupIndex(this.folder, target, options));
  }

  /** Checks a backup and puts it in the place of `folder`; see `RestoreOptions`. */
  static restore(backup: string, folder: string, options: RestoreOptions = {}): Promise<RestoreReport> {
    return restoreIndex(backup, folder, options);
  }

  /**
   * Reads the whole newest generation and checks it; what is wrong is in the report. Others may read and write meanwhile.
   * Errors: LOCKED, ABORTED, IO.
   */
  verify(options: VerifyOptions = {}): Promise<VerifyReport> {
    return this.track(() => verifyIndex(this.folder, options));
  }

  /** Live documents in the order in which they were added. Errors: INVALID_ARGUMENT, INVALID_FILTER. */
  list(options: ListOptions = {}): Promise<StoredDocument[]> {
    return this.read(async ({ catalog, loaded }) => {
      const { filter, offset = 0, limit = DEFAULT_LIST } = options;
      const condition = filter === undefined ? undefined : filterCondition(filter);
      return catalog.listDocuments(loaded.catalog, { offset, limit }, condition);
    });
  }

  /** How many live documents there are, or match a filter. Errors: INVALID_FILTER. */
  count(filter?: FilterArgument): Promise<number> {
    return this.read(async ({ catalog, loaded }) =>
      filter === undefined
        ? loaded.catalog.documents
        : catalog.matchingDocuments(loaded.catalog, filterCondition(filter)).length,
    );
  }

  /** What made the generations, newest first; their times are known as far as `history.log` has them. */
  history(options: HistoryOptions = {}): Promise<HistoryEntry[]> {
    return this.read(async ({ catalog, loaded }) => {
      const limit = checkInteger("limit", options.limit ?? DEFAULT_LIST, 1);
      return historyOf(catalog, loaded.catalog.generation, limit);
    });
  }

  /** The segments of the loaded generation. */
  segments(): SegmentInfo[] {
    this.assertOpen();
    const { catalog, segments } = this.snapshots.newest;
    return catalog.segments.map(({ segmentNo, file, passages, tokens }) => {
      const live = segments.get(file.fileId)?.live;
      const livePassages = live === null || live === undefined ? passages : live.length;
      return { segmentNo, file: file.name, bytes: file.length, passages, livePassages, tokens };
    });
  }

  /** A live document by its id. */
  get(id: string): Promise<StoredDocument | undefined> {
    return this.read(async ({ catalog, loaded }) =>
      catalog.documentById(checkString("id", id), loaded.catalog),
    );
  }

  /** Goes on to the newest generation, also when another process wrote it; returns its number. */
  refresh(): Promise<number> {
    return this.track(async () => {
      this.opened.check();
      await this.snapshots.reload();
      return this.snapshots.newest.catalog.generation;
    });
  }

  /** Loads the model ahead of the first search. */
  warm(): Promise<void> {
    return this.track(async () => {
      await (await this.model.encoder()).warmQueries();
    });
  }

  info(): IndexInfo {
    this.assertOpen();
    const { generation, documents, passages, tokens, settings, codec, segments } =
      this.snapshots.newest.catalog;
    return {
      folder: this.folder,
      generation,
      documents,
      passages,
      tokens,
      dim: settings.dim,
      nbits: settings.nbits,
      lexical: lexicalKind(settings),
      seed: settings.seed,
      centroids: codec?.centroids ?? 0,
      model: settings.model?.name ?? null,
      segments: segments.length,
      bytes: {
        catalog: fileLength(this.catalog.path),
        codec: codec?.file.length ?? 0,
        segments: segments.reduce((sum, { file }) => sum + file.length, 0),
      },
    };
  }

  /** Waits for running calls, then stops threads and closes files. Later calls throw CLOSED. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    await Promise.allSettled(this.running);
    await Promise.all([this.model.close(), this.searches.close()]);
    this.snapshots.close();
    this.catalog.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Reads from the newest known generation, which stays whole until `work` is done. */
  private read<T>(work: (context: ReadContext) => Promise<T>): Promise<T> {
    return this.track(() =>
      this.snapshots.use((loaded) => {
        const { catalog, searches } = this;
        return work({ catalog, loaded, searches, kernels: this.kernels.backend });
      }),
    );
  }

  /** Writes, and goes on to what was written. */
  private write<T>(work: (context: WriteContext) => Promise<T>): Promise<T> {
    return this.track(async () => {
      this.opened.check();
      const { folder, logger, compaction } = this;
      const { backend, mapper } = this.kernels;
      const report = await this.snapshots.use((loaded) =>
        work({ folder, loaded, logger, compaction, kernels: backend, mapper }),
      );
      await this.snapshots.reload();
      return report;
    });
  }

  private assertOpen(): void {
    if (this.closed) throw new MaxsimError("CLOSED", `the index ${this.folder} is closed`);
  }

  private async track<T>(work: () => Promise<T>): Promise<T> {
    this.assertOpen();
    const promise = work();
    this.running.add(promise);
    try {
      return await promise;
    } finally {
      this.running.delete(promise);
    }
  }
}
