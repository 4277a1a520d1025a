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
import type { CodecRecord, FileRecord, SegmentRecord, Snapshot } from "../documents/records.js";
import { snapshotFiles } from "../documents/snapshot-files.js";
import { lookAround, type Surroundings } from "../documents/surroundings.js";
import { decodeSegment, type Segment } from "../indexing/segment.js";
import { checkSegment } from "../indexing/verify-segment.js";
import { selectKernels } from "../kernels/select.js";
import { checkSearches } from "../search/verify-search.js";
import { type Damage, damageOf } from "../storage/corrupt-file.js";
import type { FileType } from "../storage/file-names.js";
import { newestNoted } from "../storage/history-log.js";
import { inspectFile } from "../storage/inspect-file.js";
import { damagedLocks } from "../storage/lock-files.js";
import type { SectionFile } from "../storage/section-file.js";
import { readSectionFile } from "../storage/section-reader.js";
import { SNAPSHOT_FOLDER, SnapshotLock } from "../storage/snapshot-lock.js";
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
  private readonly strays: string[] = [];
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
    // Before the catalog is read: a commit is noted after it was made.
    const noted = newestNoted(folder);
    const around = await lookAround(folder);
    for (const { file, ...damage } of around.problems) this.add(file, damage);
    this.notes.push(...around.notes);
    const generation = this.readCatalog();
    if (generation === undefined) return this.findings(undefined, 0);
    const { snapshot } = generation;
    if (noted > snapshot.generation) {
      const what = `history.log tells of generation ${noted}, the newest one here is ${snapshot.generation}: commits were lost`;
      this.add(CATALOG_NAME, { what });
    }
    this.checkSegmentRanges(snapshot);
    const searches = snapshot.codec === null ? 0 : await this.checkFiles(generation, snapshot.codec);
    this.noteStrays(around);
    return this.findings(snapshot, searches);
  }

  close(): void {
    for (const file of this.open) file.close();
    this.lock?.release();
    this.catalog?.close();
  }

  /** The newest generation, held; undefined when the catalog does not let itself be read, which is noted as a problem. */
  private readCatalog(): Generation | undefined {
    const { folder } = this.task;
    const path = join(folder, CATALOG_NAME);
    const generation = this.noting(CATALOG_NAME, path, () => {
      const catalog = Catalog.open(folder, { readOnly: true, allowRolledBack: true });
      this.catalog = catalog;
      for (;;) {
        throwIfAborted(this.options.signal, WHAT);
        const newest = catalog.newestGeneration();
        this.hold(newest);
        // Only a generation that is still the newest after its lock was taken is protected by it.
        if (catalog.newestGeneration() === newest) break;
      }
      return catalog.generation();
    });
    const { catalog } = this;
    if (catalog === undefined) return undefined;
    const files = generation === undefined ? [] : snapshotFiles(generation.snapshot);
    this.total = catalogBytes(folder) + files.reduce((sum, { length }) => sum + length, 0);
    this.progress(0);
    this.noting(CATALOG_NAME, path, () => {
      for (const what of catalog.verify())
        this.add(CATALOG_NAME, damageOf(path, new MaxsimError("CORRUPT", what)));
    });
    this.progress(catalogBytes(folder));
    return generation;
  }

  private hold(generation: number): void {
    this.lock?.release();
    this.lock = undefined;
    // A lock file that cannot be locked is a problem that was noted already.
    const damaged = damagedLocks(this.task.folder).some(
      ({ file }) => file === `${SNAPSHOT_FOLDER}/${generation}.lock`,
    );
    if (!damaged) this.lock = SnapshotLock.hold(this.task.folder, generation);
  }

  /** Live passages with token vectors lie in the range of a segment; whether it has them, its own check says. */
  private checkSegmentRanges(snapshot: Snapshot): void {
    const end = { firstPassage: snapshot.nextPassage, lastPassage: snapshot.nextPassage };
    let next = 0;
    for (const { firstPassage, lastPassage } of [...snapshot.segments, end]) {
      const { count, first } = this.catalog!.livePassages(snapshot, next, firstPassage - 1);
      if (count > 0) {
        const more = count > 1 ? ` and ${count - 1} more` : "";
        this.add(CATALOG_NAME, { what: `no segment holds passage ${first}${more}` });
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
    const { damage, length: found } = await inspectFile(
      path,
      { ...stated, sha256 },
      { signal, what: WHAT, onBytes },
    );
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

  private noteStrays({ published, foreign }: Surroundings): void {
    const named = this.catalog!.filesInUse(0);
    this.strays.push(...published.filter((name) => !named.has(name)), ...foreign);
  }

  private progress(done: number): void {
    this.done = Math.min(done, this.total);
    this.options.onProgress?.({ stage: "check", done: this.done, total: this.total, unit: "bytes" });
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

  private add(file: string, damage: Damage): void {
    const known = this.problems.some(
      (problem) => problem.file === file && problem.what === damage.what && problem.offset === damage.offset,
    );
    if (known) return;
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
      strays: this.strays,
    };
  }
}
