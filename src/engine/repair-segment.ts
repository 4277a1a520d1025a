/**
 * Repair of one segment, by the first of these that works: what follows from its codes and residuals is computed again; its
 * passages are encoded again from their texts; the passages that are still sound are kept without the others.
 */
import { join } from "node:path";
import type { Codec } from "../codec/codec.js";
import { isMaxsimError } from "../common/errors.js";
import type { ProgressListener } from "../common/progress.js";
import type { Catalog } from "../documents/catalog.js";
import type { PassageFact, SegmentRecord, Snapshot } from "../documents/records.js";
import type { VectorSource } from "../indexing/build.js";
import { encodeSegment } from "../indexing/encode-segment.js";
import { restoreSegment, startsOf } from "../indexing/restore-segment.js";
import { isTableOf, type PassageTable, SegmentImage } from "../indexing/segment-image.js";
import type { WrittenSegment } from "../indexing/segment-writer.js";
import type { KernelBackend } from "../kernels/backend.js";
import type { ReadableFile } from "../storage/file-system.js";
import { type FileInspection, inspectFile } from "../storage/inspect-file.js";
import { nodeFileSystem } from "../storage/node-file-system.js";
import type { RepairFolder } from "../storage/repair-folder.js";
import { CatalogPassages } from "./catalog-passages.js";
import type { RepairNeed } from "./repair-report.js";

export interface SegmentJob {
  readonly folder: string;
  readonly work: RepairFolder;
  readonly catalog: Catalog;
  readonly snapshot: Snapshot;
  readonly record: SegmentRecord;
  /** The codec that the segment was written with. */
  readonly codec: Codec;
  readonly kernels: KernelBackend;
  /** Null for an index of vectors. */
  readonly source: (() => Promise<VectorSource>) | null;
  readonly drop: boolean;
  readonly dryRun: boolean;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ProgressListener | undefined;
}

export type SegmentOutcome =
  | {
      readonly kind: "mended";
      /** In the work folder; null when no passage is left, and in a dry run. */
      readonly written: WrittenSegment | null;
      /** Whether the file has the bytes that it had before it was damaged. */
      readonly same: boolean;
      readonly what: string;
      /** Numbers of the documents that go with it. */
      readonly lost: readonly number[];
      readonly encoded: number;
    }
  | {
      readonly kind: "left";
      readonly what: string;
      readonly needs: RepairNeed;
      readonly lost: readonly number[];
    };

/** Errors: ABORTED, DISK_FULL, IO. What cannot be mended is an outcome. */
export async function repairSegment(job: SegmentJob): Promise<SegmentOutcome> {
  const { folder, record, snapshot, catalog, signal } = job;
  const path = join(folder, record.file.name);
  const { name: _, ...file } = record.file;
  const stated = { type: "segment" as const, indexId: snapshot.indexId, ...file };
  const inspection = await inspectFile(path, stated, { signal, what: "the repair" });
  const facts = [...catalog.passageFacts(snapshot, record.firstPassage, record.lastPassage)];
  const opened = inspection.length === null ? undefined : await nodeFileSystem.openForReading(path);
  try {
    return await new SegmentRepairer(job, facts, inspection, opened).run();
  } finally {
    await opened?.close();
  }
}

class SegmentRepairer {
  private readonly image: SegmentImage | undefined;
  /** The table of a file whose codes and residuals are proved to be what was written. */
  private proved: PassageTable | undefined;
  /** Why the texts could not be encoded. */
  private obstacle: { readonly what: string; readonly needs: RepairNeed } | undefined;

  constructor(
    private readonly job: SegmentJob,
    private readonly facts: readonly PassageFact[],
    private readonly inspection: FileInspection,
    file: ReadableFile | undefined,
  ) {
    const { record, codec } = job;
    this.image = file === undefined ? undefined : new SegmentImage(file, record, codec, inspection.badBlocks);
  }

  async run(): Promise<SegmentOutcome> {
    const stored = (await this.image?.table()) ?? null;
    const known = this.catalogTable();
    return (
      (await this.exactly(known, stored)) ??
      (await this.derived(known, stored)) ??
      (await this.encoded()) ??
      (await this.salvaged(known, stored))
    );
  }

  /** The very same file from its codes and residuals, proved by its SHA-256. */
  private async exactly(...tables: readonly (PassageTable | null)[]): Promise<SegmentOutcome | undefined> {
    const { work, record } = this.job;
    const { image } = this;
    // A file that is as it was written and says something wrong is not wanted again.
    if (image === undefined || !image.primaryPossible || this.isClean) return undefined;
    for (const table of tables) {
      const written = table === null ? null : await this.write(image, table, null);
      if (written === null) continue;
      const same = written.file.sha256 === record.file.sha256;
      if (!same || !this.agrees(table!)) {
        await work.discard(written.file.name);
        // All of it is as it was, but the catalog has lost documents that it holds.
        if (same) this.proved = table!;
        continue;
      }
      return this.mended(written, "was written again, byte for byte, from its codes and residuals", []);
    }
    return undefined;
  }

  /** Sound codes and residuals with norms, posting lists and numbers of passages that follow from them and the catalog. */
  private async derived(
    known: PassageTable | null,
    stored: PassageTable | null,
  ): Promise<SegmentOutcome | undefined> {
    const { image } = this;
    const { work, record } = this.job;
    if (image === undefined || !(image.primarySound || this.proved !== undefined)) return undefined;
    const own = this.proved ?? (image.tableSound ? stored : null);
    const table = known ?? own;
    // Where the two cut the tokens into other passages, neither is believed.
    if (table === null) return undefined;
    if (own?.lengths.some((length, p) => length !== table.lengths[p]) === true) return undefined;
    const kept = this.keep(table, () => true);
    if (kept.lost.length > 0) return undefined;
    const written = await this.write(image, table, kept.ordinals);
    if (written === null) return undefined;
    if (written.file.sha256 === record.file.sha256 && this.isClean) {
      await work.discard(written.file.name);
      const what =
        "its bytes and what they say are right, searches of it are not: processor or memory are at fault";
      return { kind: "left", what, needs: "doctor", lost: [] };
    }
    return this.mended(written, "was written again from its codes and residuals", []);
  }

  private async encoded(): Promise<SegmentOutcome | undefined> {
    const { folder: _, work, catalog, snapshot, record, codec, kernels, source, dryRun, signal } = this.job;
    if (source === null) return undefined;
    // With all passages that it had, deleted ones among them, the file comes out as it was.
    const complete = this.facts.length === record.passages;
    const facts = complete ? this.facts : this.facts.filter(({ deleted }) => !deleted);
    if (facts.length > record.passages) return undefined;
    const queue = new CatalogPassages(catalog, snapshot, facts);
    const count = queue.passages;
    if (dryRun) {
      const what = `${count} passages are encoded again from their texts`;
      return { kind: "mended", written: null, same: false, what, lost: [], encoded: count };
    }
    try {
      const written = await encodeSegment({
        folder: work.path,
        indexId: snapshot.indexId,
        codec,
        queue,
        source: await source(),
        kernels,
        signal,
        onPassages: (done, tokens) =>
          this.job.onProgress?.({ stage: "encode", done, total: count, unit: "passages", tokens }),
      });
      const same = written?.file.sha256 === record.file.sha256;
      const how = same ? "; the file is byte for byte what it was" : "";
      const what = `${count} passages were encoded again from their texts${how}`;
      return { kind: "mended", written, same, what, lost: [], encoded: count };
    } catch (error) {
      if (!isMaxsimError(error)) throw error;
      const ofModel = error.code.startsWith("MODEL_") || error.code === "NETWORK";
      if (!ofModel && error.code !== "CORRUPT") throw error;
      this.obstacle = { what: error.message, needs: ofModel ? "model" : "dropDamaged" };
      return undefined;
    }
  }

  /** What is sound, without the documents that are not. */
  private async salvaged(known: PassageTable | null, stored: PassageTable | null): Promise<SegmentOutcome> {
    const { image } = this;
    const { proved } = this;
    const table = proved ?? known ?? (image?.tableSound === true ? stored : null);
    const starts = startsOf(table?.lengths ?? new Uint32Array(0));
    const usable = image !== undefined && table !== null && (proved !== undefined || image.badBlocksKnown);
    const kept = usable
      ? this.keep(table, (p) => proved !== undefined || image.areTokensSound(starts[p]!, starts[p + 1]!))
      : { ordinals: new Uint32Array(0), lost: this.liveDocuments() };
    const { obstacle } = this;
    const count = kept.lost.length === 1 ? "1 document" : `${kept.lost.length} documents`;
    const what = `the vectors of ${count} cannot be read any more${obstacle === undefined ? "" : ` (${obstacle.what})`}`;
    if (!this.job.drop)
      return { kind: "left", what, needs: obstacle?.needs ?? "dropDamaged", lost: kept.lost };
    const written =
      usable && kept.ordinals.some((p) => table.lengths[p]! > 0)
        ? await this.write(image, table, kept.ordinals)
        : null;
    if (written !== null) return this.mended(written, "was written again without what is damaged", kept.lost);
    const lost = this.liveDocuments();
    return {
      kind: "mended",
      written: null,
      same: false,
      what: "was taken out of the index",
      lost,
      encoded: 0,
    };
  }

  /** The outcome for a file in the work folder, which a dry run removes. */
  private async mended(
    written: WrittenSegment,
    what: string,
    lost: readonly number[],
  ): Promise<SegmentOutcome> {
    const { work, dryRun, record } = this.job;
    if (dryRun) await work.discard(written.file.name);
    const same = written.file.sha256 === record.file.sha256;
    return { kind: "mended", written: dryRun ? null : written, same, what, lost, encoded: 0 };
  }

  private get isClean(): boolean {
    return this.inspection.damage.length === 0;
  }

  private write(
    image: SegmentImage,
    table: PassageTable,
    kept: Uint32Array | null,
  ): Promise<WrittenSegment | null> {
    const { work, snapshot, signal, onProgress } = this.job;
    return restoreSegment({
      folder: work.path,
      indexId: snapshot.indexId,
      image,
      table,
      kept,
      signal,
      onPassages: (done, total) => onProgress?.({ stage: "write", done, total, unit: "passages" }),
    });
  }

  /** The passages as the catalog has them; null when rows of deleted ones are gone. */
  private catalogTable(): PassageTable | null {
    const { facts } = this;
    const table = {
      numbers: Uint32Array.from(facts, ({ passageNo }) => passageNo),
      documents: Uint32Array.from(facts, ({ documentNo }) => documentNo),
      lengths: Uint32Array.from(facts, ({ tokens }) => tokens),
    };
    return isTableOf(table, this.job.record) ? table : null;
  }

  /**
   * Ordinals of the passages that the catalog knows as the table has them and that are sound; documents with others go as a
   * whole.
   */
  private keep({ numbers, documents, lengths }: PassageTable, isSound: (ordinal: number) => boolean): Kept {
    const sound = new Map<number, number>();
    numbers.forEach((number, p) => {
      if (isSound(p)) sound.set(number, p);
    });
    const lost = new Set<number>();
    for (const { passageNo, documentNo, tokens, deleted } of this.facts) {
      const p = sound.get(passageNo);
      if (p !== undefined && documents[p] === documentNo && lengths[p] === tokens) continue;
      sound.delete(passageNo);
      if (!deleted && tokens > 0) lost.add(documentNo);
    }
    const ordinals = this.facts
      .filter(({ passageNo, documentNo }) => sound.has(passageNo) && !lost.has(documentNo))
      .map(({ passageNo }) => sound.get(passageNo)!);
    return { ordinals: Uint32Array.from(ordinals), lost: [...lost] };
  }

  /** Whether the catalog knows all passages of the table as it has them, or as deleted ones. */
  private agrees(table: PassageTable): boolean {
    const { catalog, snapshot, record } = this.job;
    const { ordinals, lost } = this.keep(table, () => true);
    if (lost.length > 0) return false;
    if (ordinals.length === table.numbers.length) return true;
    const kept = new Set(ordinals);
    const deleted = catalog.deletedPassages(snapshot, record.firstPassage, record.lastPassage);
    return table.numbers.every((number, p) => {
      const documentNo = table.documents[p];
      return (
        kept.has(p) ||
        deleted.some(
          ({ documentNo: no, firstPassage, passages }) =>
            no === documentNo && number >= firstPassage && number < firstPassage + passages,
        )
      );
    });
  }

  /** Those that a search could find in the segment. */
  private liveDocuments(): number[] {
    const live = this.facts.filter(({ deleted, tokens }) => !deleted && tokens > 0);
    return [...new Set(live.map(({ documentNo }) => documentNo))];
  }
}

interface Kept {
  readonly ordinals: Uint32Array;
  /** Numbers of documents. */
  readonly lost: readonly number[];
}
