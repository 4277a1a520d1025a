/**
 * Repair of a damaged index. Everything that can be proved or computed again is; nothing is guessed, and nothing is given up
 * without being asked for and told.
 */
import { join, resolve } from "node:path";
import { checkString } from "../common/check.js";
import { isMaxsimError, MaxsimError } from "../common/errors.js";
import { silentLogger } from "../common/logger.js";
import { Catalog } from "../documents/catalog.js";
import { CATALOG_NAME } from "../documents/connection.js";
import type { Snapshot } from "../documents/records.js";
import { selectKernels } from "../kernels/select.js";
import { damageOf } from "../storage/corrupt-file.js";
import { HISTORY_NAME, newestNoted, rewriteHistory, unreadableHistoryLines } from "../storage/history-log.js";
import { WriterLock } from "../storage/lock.js";
import { damagedLocks, removeDamagedLock } from "../storage/lock-files.js";
import { removeRepairFolder } from "../storage/repair-folder.js";
import { checkIndexAside } from "../workers/check-thread.js";
import type { IndexFindings } from "../workers/index-findings.js";
import { ModelHandle } from "./model-handle.js";
import { RepairEncoder } from "./repair-encoder.js";
import { repairFiles } from "./repair-files.js";
import type {
  LostDocument,
  RepairNeed,
  RepairOptions,
  RepairReport,
  RepairStep,
  UnrepairedDamage,
} from "./repair-report.js";
import { DEFAULT_GRACE_MS, Writer } from "./write-session.js";

export type {
  LostDocument,
  RepairNeed,
  RepairOptions,
  RepairReport,
  RepairStep,
  UnrepairedDamage,
} from "./repair-report.js";

/**
 * Verifies an index and mends what is wrong with it, as its one writer: files that follow from sound ones are written
 * again, passages are encoded again from their texts, indexes of the catalog are built again. Documents of which nothing
 * sound is left are removed only with `dropDamaged`; a lost codec is made again only with `rebuild`. Each repair makes one
 * generation, all or nothing; a second one follows where both the catalog and files were damaged. Readers should open the
 * index again afterwards: they may have a damaged file open.
 * Errors: INDEX_NOT_FOUND, FORMAT_TOO_NEW, LOCKED, ABORTED, DISK_FULL, IO. What cannot be mended is in the report.
 */
export async function repairIndex(folder: string, options: RepairOptions = {}): Promise<RepairReport> {
  const path = resolve(checkString("folder", folder));
  const repair = new Repair(path, options);
  const unreadable = repair.catalogProblem();
  if (unreadable !== undefined) return repair.givenUp(unreadable);
  repair.repairLocks();
  const lock =
    options.dryRun === true && damagedLocks(path).length > 0 ? undefined : WriterLock.acquire(path);
  try {
    return await repair.run();
  } finally {
    lock?.release();
  }
}

const WAL_NAME = `${CATALOG_NAME}-wal`;

class Repair {
  private readonly repaired: RepairStep[] = [];
  private readonly left: UnrepairedDamage[] = [];
  private readonly lost: LostDocument[] = [];
  private encoded = 0;
  private catalogMendable = false;
  private findings: IndexFindings | undefined;

  constructor(
    private readonly folder: string,
    private readonly options: RepairOptions,
  ) {}

  private get dryRun(): boolean {
    return this.options.dryRun === true;
  }

  /** What keeps the catalog from being opened. Errors: INDEX_NOT_FOUND, FORMAT_TOO_NEW, LOCKED, IO. */
  catalogProblem(): MaxsimError | undefined {
    try {
      Catalog.open(this.folder, { readOnly: true, allowRolledBack: true }).close();
      return undefined;
    } catch (error) {
      if (isMaxsimError(error) && error.code === "CORRUPT") return error;
      throw error;
    }
  }

  /** The report for a catalog that cannot be read. */
  async givenUp(problem: MaxsimError): Promise<RepairReport> {
    this.findings = await this.check();
    this.leaveCatalog(problem, "backup");
    return this.report(null, false);
  }

  repairLocks(): void {
    for (const damaged of damagedLocks(this.folder)) {
      if (!this.dryRun) removeDamagedLock(this.folder, damaged);
      this.repaired.push({ file: damaged.file, what: "was removed: no process can have held it" });
    }
  }

  async run(): Promise<RepairReport> {
    const { folder } = this;
    if (!this.dryRun) await removeRepairFolder(folder);
    const before = await this.check();
    this.findings = before;
    if (before.problems.length === 0 && unreadableHistoryLines(folder) === 0) {
      return this.report(before.generation, true);
    }
    if (before.problems.some(({ file }) => file === WAL_NAME)) {
      this.repaired.push({ file: WAL_NAME, what: "was emptied: commits behind the damage are lost" });
      // Whoever opens the catalog to write empties the log.
      if (this.dryRun) return this.report(before.generation, before.problems.length === 1);
    }
    const catalog = Catalog.open(folder, { readOnly: false, allowRolledBack: true });
    const { backend: kernels, mapper } = selectKernels();
    const logger = this.options.logger ?? silentLogger;
    const writer = new Writer({ folder, kernels, mapper, logger, loaded: null }, catalog, DEFAULT_GRACE_MS);
    try {
      const files = this.repairCatalog(writer, before) ? await this.check() : before;
      const snapshot = this.snapshotOf(catalog);
      if (snapshot !== undefined) {
        this.repairHistory(snapshot);
        await this.repairFilesOf(writer, snapshot, files);
      }
    } finally {
      writer.close();
      catalog.close();
    }
    if (this.dryRun) return this.report(before.generation, this.left.length === 0);
    const after = await this.check();
    for (const { file, what } of after.problems) {
      if (!this.left.some((known) => known.file === file)) this.left.push({ file, what, needs: "backup" });
    }
    return this.report(after.generation, after.problems.length === 0);
  }

  private check(): Promise<IndexFindings> {
    const { signal, onProgress } = this.options;
    return checkIndexAside({ folder: this.folder, deep: false }, { signal, onProgress });
  }

  /** True when the catalog made a generation of its own. */
  private repairCatalog(writer: Writer, { problems }: IndexFindings): boolean {
    if (!problems.some(({ file }) => file === CATALOG_NAME)) return false;
    const { dryRun, options } = this;
    try {
      const { done, lost, left, dropHelps, generation } = writer.repairRows({
        drop: options.dropDamaged === true,
        dryRun,
      });
      for (const what of done) this.repaired.push({ file: CATALOG_NAME, what });
      if (dryRun || generation !== null) this.lose(lost);
      this.catalogMendable = left.length === 0;
      for (const sentence of left) {
        const { what } = damageOf(join(this.folder, CATALOG_NAME), new MaxsimError("CORRUPT", sentence));
        this.left.push({ file: CATALOG_NAME, what, needs: dropHelps ? "dropDamaged" : "backup" });
      }
      return generation !== null;
    } catch (error) {
      this.leaveCatalog(error, "backup");
      return false;
    }
  }

  private snapshotOf(catalog: Catalog): Snapshot | undefined {
    try {
      return catalog.snapshot();
    } catch (error) {
      // What a dry run would mend must not look like what stays.
      if (!this.dryRun || !this.catalogMendable) this.leaveCatalog(error, "backup");
      return undefined;
    }
  }

  private lose(documents: readonly LostDocument[]): void {
    for (const document of documents) {
      if (!this.lost.some(({ documentNo }) => documentNo === document.documentNo)) this.lost.push(document);
    }
  }

  private repairHistory({ generation }: Snapshot): void {
    const lines = unreadableHistoryLines(this.folder);
    const noted = newestNoted(this.folder);
    if (lines === 0 && noted <= generation) return;
    if (!this.dryRun) rewriteHistory(this.folder, generation);
    if (lines > 0)
      this.repaired.push({ file: HISTORY_NAME, what: "was written again without lines that cannot be read" });
    if (noted > generation) {
      const what = `the commits after generation ${generation}, up to ${noted}, are lost: what they added has to be added again`;
      this.repaired.push({ file: HISTORY_NAME, what });
    }
  }

  private async repairFilesOf(
    writer: Writer,
    snapshot: Snapshot,
    { problems }: IndexFindings,
  ): Promise<void> {
    const records = [snapshot.codec, ...snapshot.codecs.values(), ...snapshot.segments];
    const names = records.map((record) => record?.file.name);
    const damaged = new Set(problems.map(({ file }) => file).filter((file) => names.includes(file)));
    if (damaged.size === 0) return;
    const { model: recorded } = snapshot.settings;
    const { model: wanted, threads, logger = silentLogger } = this.options;
    const encoder =
      recorded === null
        ? null
        : new RepairEncoder(new ModelHandle({ recorded, wanted, threads, logger }), this.folder, snapshot);
    try {
      const { repaired, left, lost, encoded, committed } = await repairFiles(
        writer,
        damaged,
        encoder,
        this.options,
      );
      this.repaired.push(...repaired);
      this.left.push(...left);
      this.lose(lost);
      this.encoded += encoded;
      if (committed) await encoder?.finish();
    } finally {
      await encoder?.close();
    }
  }

  private leaveCatalog(error: unknown, needs: RepairNeed): void {
    if (!isMaxsimError(error) || error.code !== "CORRUPT") throw error;
    const { what } = damageOf(join(this.folder, CATALOG_NAME), error);
    const known = this.left.filter((damage) => damage.file === CATALOG_NAME);
    // What removing documents mends keeps the catalog from being read until then.
    if (known.some((damage) => damage.what === what || damage.needs === "dropDamaged")) return;
    this.left.push({ file: CATALOG_NAME, what, needs });
  }

  private report(generation: number | null, ok: boolean): RepairReport {
    const { folder, dryRun, repaired, left, lost, encoded, findings } = this;
    const problems = findings?.problems ?? [];
    const moreProblems = findings?.moreProblems ?? 0;
    return { folder, dryRun, generation, problems, moreProblems, repaired, left, lost, encoded, ok };
  }
}
