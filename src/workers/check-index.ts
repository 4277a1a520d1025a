/** All checks of an index, one after the other: catalog, files, what the files say, searches, and what lies beside them. */
import { join } from "node:path";
import type { Codec } from "../codec/codec.js";
import { decodeCodecFile } from "../codec/codec-file.js";
import { isExtensionOf } from "../codec/extension-check.js";
import { throwIfAborted } from "../common/abort.js";
import { isMaxsimError, MaxsimError } from "../common/errors.js";
import type { ProgressListener } from "../common/progress.js";
import { Catalog, type Generation } from "../documents/catalog.js";
import { CATALOG_NAME } from "../documents/connection.js";
import { catalogBytes } from "../documents/copy-catalog.js";
import { indexSurroundings } from "../documents/surroundings.js";
import type { CodecRecord, FileRecord, SegmentRecord, Snapshot } from "../documents/records.js";
import { snapshotFiles } from "../documents/snapshot-files.js";
import { decodeSegment, type Segment } from "../indexing/segment.js";
import { checkSegment } from "../indexing/verify-segment.js";
import { selectKernels } from "../kernels/select.js";
import { checkSearches } from "../search/verify-search.js";
import { type Damage, damageOf } from "../storage/corrupt-file.js";
import type { FileType } from "../storage/file-names.js";
import { inspectFile } from "../storage/inspect-file.js";
import { newestNoted } from "../storage/history-log.js";
import type { SectionFile } from "../storage/section-file.js";
import { readSectionFile } from "../storage/section-reader.js";
import { SnapshotLock } from "../storage/snapshot-lock.js";
import { type CheckTask, type IndexFindings, type IndexProblem, MAX_PROBLEMS } from "./index-findings.js";

export interface CheckOptions {
  readonly signal?: AbortSignal | undefined;
  /** Stages "check", in bytes, and "search", in queries. */
  readonly onProgress?: ProgressListener | undefined;
}

/** Searches are computed again for so many passages, and for each the scores of so many tokens. */
const SAMPLE = { queries: 2, plainTokens: 2_000 };
const DEEP = { queries: 32, plainTokens: 50_000 };

const WHAT = "the verification";

/**
 * Checks the newest generation of an index, which stays whole meanwhile. Whatever is wrong is in the findings.
 * Errors: INDEX_NOT_FOUND, FORMAT_TOO_NEW, LOCKED, ABORTED, IO from what is no file of the index.
 */
export async function checkIndex(task: CheckTask, options: CheckOptions = {}): Promise<IndexFindings> {
  const check = new IndexCheck(task, options);
  try {
    return await check.run();
  } finally {
    check.close();
  }
}

class IndexCheck {
  private readonly problems: IndexProblem[] = [];
  private more = 0;
  private readonly notes: string[] = [];
  private readonly open: SectionFile[] = [];
  private lock: SnapshotLock | undefined;
  private catalog: Catalog | undefined;
  private done = 0;
  private total = 0;

  constructor(
    private readonly task: CheckTask,
    private readonly options: CheckOptions,
  ) {}

  async run(): Promise<IndexFindings> {
    const { folder } = this.task;
    // Before the catalog is read: a commit meanwhile is noted after it was made.
    const noted = newestNoted(folder);
    const { locks, notes } = await indexSurroundings(folder);
    for (const { file, what } of locks) this.add(file, { what });
    this.notes.push(...notes);
    const generation = this.readCatalog();
    if (generation === undefined) return this.findings(undefined, 0);
    const { snapshot } = generation;
    if (noted > snapshot.generation) {
      this.add(CATALOG_NAME, {
        what: `history.log notes a commit of generation ${noted}, the newest one here is ${snapshot.generation}: commits were lost`,
      });
    }
    const files = snapshotFiles(snapshot);
    this.total = catalogBytes(folder) + files.reduce((sum, { length }) => sum + length, 0);
    this.progress(0);
    this.checkCatalog(snapshot);
    this.progress(catalogBytes(folder));
    const searches = snapshot.codec === null ? 0 : await this.checkFiles(generation, snapshot.codec);
    await this.noteStrays();
    return this.findings(snapshot, searches);
  }

  close(): void {
    for (const file of this.open) file.close();
    this.lock?.release();
    this.catalog?.close();
  }

  /** The newest generation, held; undefined when the catalog does not let itself be read, which is noted as a problem. */
  private readCatalog(): Generation | undefined {
    return this.noting(CATALOG_NAME, join(this.task.folder, CATALOG_NAME), () => {
      const catalog = Catalog.open(this.task.folder, { readOnly: true });
      this.catalog = catalog;
      for (;;) {
        throwIfAborted(this.options.signal, WHAT);
        const newest = catalog.newestGeneration();
        const lock = SnapshotLock.hold(this.task.folder, newest);
        this.lock = lock;
        // Only a generation that is still the newest after its lock was taken is protected by it.
        if (catalog.newestGeneration() === newest) {
          this.addAll(CATALOG_NAME, catalog.verify());
          return catalog.generation();
        }
        lock.release();
      }
    });
  }

  private checkCatalog(snapshot: Snapshot): void {
    const catalog = this.catalog!;
    let next = 0;
    const ends = [...snapshot.segments, { firstPassage: snapshot.nextPassage, lastPassage: snapshot.nextPassage }];
    for (const { firstPassage, lastPassage } of ends) {
      const { count, first } = catalog.livePassages(snapshot, next, firstPassage - 1);
      if (count > 0) {
        this.add(CATALOG_NAME, { what: `no segment holds passage ${first}${count > 1 ? ` and ${count - 1} more` : ""}` });
      }
      next = lastPassage + 1;
    }
  }

  /** Returns for how many passages searches were checked. */
  private async checkFiles(generation: Generation, record: CodecRecord): Promise<number> {
    const { snapshot } = generation;
    const before = this.problems.length + this.more;
    const codec = await this.checkCodec(snapshot, record);
    const segments: Segment[] = [];
    for (const segment of snapshot.segments) {
      const sound = await this.checkSegmentFile(generation, segment, codec);
      if (sound !== undefined) segments.push(sound);
    }
    // Of what is damaged no search can be right.
    if (codec === undefined || this.problems.length + this.more > before) return 0;
    const { backend } = selectKernels();
    const { queries, plainTokens } = this.task.deep ? DEEP : SAMPLE;
    let asked = 0;
    const onQuery = (done: number, total: number): void => {
      throwIfAborted(this.options.signal, WHAT);
      asked = total;
      this.options.onProgress?.({ stage: "search", done, total, unit: "queries" });
    };
    const found = checkSearches({ codec, segments, tokens: snapshot.tokens }, backend, {
      queries,
      plainTokens,
      onQuery,
    });
    for (const { segment, what } of found) this.add(this.relative(segment.name), { what });
    return asked;
  }

  private async checkCodec(snapshot: Snapshot, record: CodecRecord): Promise<Codec | undefined> {
    const codec = await this.openCodec(snapshot, record);
    if (codec === undefined) return undefined;
    for (const base of snapshot.codecs.values()) {
      if (base.codecNo === record.codecNo) continue;
      // Once it is extended, a codec is kept only as long as somebody reads an older generation.
      const extended = await this.openCodec(snapshot, base, true);
      if (extended !== undefined && !isExtensionOf(codec, extended)) {
        this.add(record.file.name, { what: `it does not extend ${base.file.name}, as the catalog states` });
      }
    }
    return codec;
  }

  private async openCodec(
    snapshot: Snapshot,
    { file: record, centroids }: CodecRecord,
    mayBeGone = false,
  ): Promise<Codec | undefined> {
    const file = await this.openFile("codec", record, snapshot, mayBeGone);
    if (file === undefined) return undefined;
    return this.noting(record.name, file.path, () => {
      const codec = decodeCodecFile(file);
      const { size, dim } = codec.codebook;
      const { nbits } = codec.quantizer;
      const { settings } = snapshot;
      if (size === centroids && dim === settings.dim && nbits === settings.nbits) return codec;
      throw new MaxsimError(
        "CORRUPT",
        `${file.path}: ${size} centroids of dimension ${dim} at ${nbits} bits, ` +
          `the catalog states ${centroids} of dimension ${settings.dim} at ${settings.nbits} bits`,
      );
    });
  }

  private async checkSegmentFile(
    { snapshot, deleted }: Generation,
    record: SegmentRecord,
    codec: Codec | undefined,
  ): Promise<Segment | undefined> {
    const file = await this.openFile("segment", record.file, snapshot);
    if (file === undefined || codec === undefined) return undefined;
    return this.noting(record.file.name, file.path, () => {
      const { centroids } = snapshot.codecs.get(record.codecNo)!;
      const segment = decodeSegment(file, codec, { ...record, centroids }, deleted);
      const { firstPassage, lastPassage } = record;
      const facts = {
        passages: this.catalog!.passageFacts(snapshot, firstPassage, lastPassage),
        deleted: this.catalog!.deletedPassages(snapshot, firstPassage, lastPassage),
      };
      for (const damage of checkSegment({ ...segment, file }, codec, facts, this.task)) {
        this.add(record.file.name, damage);
      }
      return segment;
    });
  }

  /** The file when every byte of it is what was written; what is wrong with it is noted otherwise. */
  private async openFile(
    type: FileType,
    { name, length, sha256, fileId }: FileRecord,
    { indexId }: Snapshot,
    mayBeGone = false,
  ): Promise<SectionFile | undefined> {
    const { signal } = this.options;
    const path = join(this.task.folder, name);
    const stated = { type, indexId, fileId, length };
    const before = this.done;
    const onBytes = (count: number): void => this.progress(this.done + count);
    const { damage, length: found } = await inspectFile(path, { ...stated, sha256 }, { signal, what: WHAT, onBytes });
    this.progress(before + length);
    if (mayBeGone && found === null) return undefined;
    for (const problem of damage) this.add(name, problem);
    if (damage.length > 0) return undefined;
    try {
      const file = await readSectionFile(path, stated, { mapper: selectKernels().mapper });
      this.open.push(file);
      file.ensureAll();
      return file;
    } catch (error) {
      this.addError(name, path, error);
      return undefined;
    }
  }

  private async noteStrays(): Promise<void> {
    const named = this.catalog!.filesInUse(0);
    const { strays } = await indexSurroundings(this.task.folder);
    for (const name of strays) if (!named.has(name)) this.notes.push(`${name} belongs to no generation`);
  }

  private progress(done: number): void {
    this.done = done;
    this.options.onProgress?.({ stage: "check", done, total: this.total, unit: "bytes" });
  }

  private relative(path: string): string {
    return path.slice(this.task.folder.length + 1).replaceAll("\\", "/");
  }

  /** What `work` returns; undefined when it says that the file is damaged, which is noted. */
  private noting<T>(name: string, path: string, work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      this.addError(name, path, error);
      return undefined;
    }
  }

  private addError(name: string, path: string, error: unknown): void {
    if (!isMaxsimError(error) || error.code !== "CORRUPT") throw error;
    this.add(name, damageOf(path, error));
  }

  private addAll(file: string, sentences: readonly string[]): void {
    for (const what of sentences) this.add(file, { what });
  }

  private add(file: string, damage: Damage): void {
    if (this.problems.length < MAX_PROBLEMS) this.problems.push({ file, ...damage });
    else this.more++;
  }

  private findings(snapshot: Snapshot | undefined, searches: number): IndexFindings {
    const files = snapshot === undefined ? [] : snapshotFiles(snapshot);
    return {
      generation: snapshot?.generation ?? null,
      documents: snapshot?.documents ?? 0,
      passages: snapshot?.passages ?? 0,
      tokens: snapshot?.tokens ?? 0,
      segments: snapshot?.segments.length ?? 0,
      files: files.length + 1,
      bytes: catalogBytes(this.task.folder) + files.reduce((sum, { length }) => sum + length, 0),
      searches,
      problems: this.problems,
      moreProblems: this.more,
      notes: this.notes,
    };
  }
}
