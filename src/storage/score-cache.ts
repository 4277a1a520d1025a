/**
 * Scores on disk, bounded in size, for any number of processes at once. Nothing about it makes a request fail: what cannot be read is
 * not there, what cannot be written is not kept, and the logger is told once.
 */
import { homedir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import { setImmediate as nextTurn, setTimeout as wait } from "node:timers/promises";
import { checkInteger, checkString, invalidArgument } from "../common/check.js";
import { isMaxsimError, systemCode } from "../common/errors.js";
import { type Logger, silentLogger } from "../common/logger.js";
import { fileIdentity } from "./folders.js";
import { isBusy, isDamaged, isPassing, openScoreFile, removeScoreFile } from "./score-cache-file.js";
import { type FoundScores, ScoreRows } from "./score-cache-rows.js";

export interface ScoreCacheOptions {
  /** The file, made with its folder where there is none. Default: `defaultScoreCachePath()`. */
  readonly path?: string;
  /** What the scores may take of the disk, about; what was not used for longest goes first. At least 1 MiB. Default 256 MiB. */
  readonly maxBytes?: number;
  /** Is warned, once for each reason, when the cache cannot work. */
  readonly logger?: Logger;
}

export interface ScoreCacheStats {
  /** Absolute. */
  readonly path: string;
  /** Values that are kept, by all processes. 0 when the file cannot be read. */
  readonly entries: number;
  /** What they take of the disk, about. */
  readonly bytes: number;
  /** Keys that this object was asked for and had, and had not. */
  readonly hits: number;
  readonly misses: number;
  /** Hits by keys asked for; 0 before the first. */
  readonly hitRate: number;
}

const DEFAULT_MAX_BYTES = 256 << 20;
const MIN_MAX_BYTES = 1 << 20;
/** Rows of one transaction, so that neither other processes nor this thread's other work wait long. */
const ROWS_AT_ONCE = 1_000;
/** A full cache is made so much smaller at once, at most a sixteenth, that not every write has to remove something. */
const SLACK_BYTES = 256 << 10;
/** A use is written down when the last one is longer ago than this, and then not at once. */
const USE_COUNTS_FOR_MS = 60_000;
const USES_AT_ONCE = 1_000;
const USES_WAIT_MS = 5_000;
/** Tries to get at a file that others are writing to, about half a second of them. */
const BUSY_TRIES = 6;
/** A file that is damaged again and again has a disk that cannot be helped. */
const MOST_REPLACEMENTS = 3;

const KEY = /^[0-9a-f]{64}$/i;

/** `maxsim/scores.sqlite` in the user's cache folder: XDG_CACHE_HOME, when that is an absolute path, or ~/.cache. */
export function defaultScoreCachePath(env: NodeJS.ProcessEnv = process.env): string {
  const folder = env.XDG_CACHE_HOME ?? "";
  return join(isAbsolute(folder) ? folder : join(homedir(), ".cache"), "maxsim", "scores.sqlite");
}

/** Use it as the `cache` of a reranker; any number of rerankers may share one. Close it after them. */
export class SqliteScoreCache implements AsyncDisposable {
  private rows: ScoreRows | undefined;
  private identity: string | undefined;
  private opening: Promise<void> | undefined;
  private closing: Promise<void> | undefined;
  /** Whether the file cannot be used at all. */
  private unusable = false;
  private replacements = 0;
  private hits = 0;
  private misses = 0;
  /** Keys whose use is to be written down. */
  private readonly uses = new Map<string, Buffer>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly told = new Set<string>();

  private constructor(
    readonly path: string,
    readonly maxBytes: number,
    private readonly logger: Logger,
  ) {}

  /** A file that cannot be used leaves a cache that is always empty. Errors: INVALID_ARGUMENT for wrong options. */
  static async open(options: ScoreCacheOptions = {}): Promise<SqliteScoreCache> {
    const path = options.path === undefined ? defaultScoreCachePath() : checkString("path", options.path);
    if (path === "") throw invalidArgument("path", "the name of a file", path);
    const maxBytes = checkInteger("maxBytes", options.maxBytes ?? DEFAULT_MAX_BYTES, MIN_MAX_BYTES);
    const cache = new SqliteScoreCache(resolve(path), maxBytes, options.logger ?? silentLogger);
    await cache.attempt("open", () => undefined);
    return cache;
  }

  /** The values under each key, undefined where there are none, and for all keys once it was closed. Keys are 64 hexadecimal digits. */
  async lookUp(keys: readonly string[]): Promise<Array<Float64Array | undefined>> {
    const all = keys.map(keyBytes);
    const found: (Float64Array | undefined)[] = [];
    for (let at = 0; at < all.length; at += ROWS_AT_ONCE) {
      if (at > 0) await nextTurn();
      const part = all.slice(at, at + ROWS_AT_ONCE);
      const rows = await this.attempt("read", (table) => table.read(part, () => this.tellOfDamagedRow()));
      for (const [i, key] of part.entries()) found.push(this.count(keys[at + i]!, key, rows?.[i]));
    }
    if (this.uses.size >= USES_AT_ONCE) await this.writeUses();
    return found;
  }

  /** Keeps values under their keys, 64 hexadecimal digits; those that were there are replaced. */
  async store(
    entries: ReadonlyArray<{ readonly key: string; readonly values: Float64Array }>,
  ): Promise<void> {
    const rows = entries.map(({ key, values }) => ({ key: keyBytes(key), values }));
    for (let at = 0; at < rows.length; at += ROWS_AT_ONCE) {
      if (at > 0) await nextTurn();
      const part = rows.slice(at, at + ROWS_AT_ONCE);
      await this.attempt("write", (table) => table.write(part, Date.now()));
    }
    await this.writeUses();
    await this.shrink();
  }

  async stats(): Promise<ScoreCacheStats> {
    const totals = await this.attempt("read", (table) => table.totals());
    const { path, hits, misses } = this;
    const hitRate = hits === 0 ? 0 : hits / (hits + misses);
    return { path, ...(totals ?? { entries: 0, bytes: 0 }), hits, misses, hitRate };
  }

  /** Forgets all scores, those of other processes as well. */
  async clear(): Promise<void> {
    this.uses.clear();
    await this.attempt("clear", (table) => table.clear());
  }

  /** From then on the cache is empty. */
  close(): Promise<void> {
    this.closing ??= this.writeUses().then(async () => {
      await this.opening;
      this.disconnect();
    });
    return this.closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private count(name: string, key: Buffer, found: FoundScores | undefined): Float64Array | undefined {
    if (found === undefined) {
      this.misses++;
      return undefined;
    }
    this.hits++;
    if (found.used < Date.now() - USE_COUNTS_FOR_MS && this.closing === undefined) {
      this.uses.set(name, key);
      this.timer ??= setTimeout(() => {
        this.writeUses().catch((error: unknown) => this.tell("write", error));
      }, USES_WAIT_MS).unref();
    }
    return found.values;
  }

  private async writeUses(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    const keys = [...this.uses.values()];
    this.uses.clear();
    for (let at = 0; at < keys.length; at += ROWS_AT_ONCE) {
      const part = keys.slice(at, at + ROWS_AT_ONCE);
      await this.attempt("write", (table) => table.touch(part, Date.now()));
    }
  }

  private async shrink(): Promise<void> {
    const over = await this.attempt("read", (table) => table.totals().bytes > this.maxBytes);
    const target = this.maxBytes - Math.min(SLACK_BYTES, this.maxBytes >> 4);
    for (let done = over !== true; !done; ) {
      await nextTurn();
      done = (await this.attempt("write", (table) => table.evict(target, ROWS_AT_ONCE))) ?? true;
    }
  }

  /** What `work` gives; undefined when the file does not let it. Errors that are not of files and databases are thrown. */
  private async attempt<T>(action: string, work: (table: ScoreRows) => T): Promise<T | undefined> {
    for (let tries = 1; ; tries++) {
      try {
        const table = await this.connect();
        if (table === undefined) return undefined;
        // Closed, or connected anew, by others that have waited for the same connection.
        if (!table.db.open) continue;
        return work(table);
      } catch (error) {
        if (!isMaxsimError(error) && systemCode(error) === undefined) throw error;
        if (isBusy(error)) {
          if (tries >= BUSY_TRIES) return this.tell(action, error);
          await wait(tries * 10 * (1 + Math.random()));
        } else if (!isDamaged(error) || !this.replace(error)) {
          // What does not open will not open next time, unless it was in the middle of being replaced.
          if (isPassing(error)) this.disconnect();
          else if (this.rows === undefined) this.unusable = true;
          return this.tell(action, error);
        }
      }
    }
  }

  /** The connection to the file that has the name now; undefined when there is none to be had. */
  private async connect(): Promise<ScoreRows | undefined> {
    if (this.closing !== undefined && this.rows === undefined) return undefined;
    if (this.unusable) return undefined;
    // Somebody may have removed the file, or replaced a damaged one.
    if (this.rows !== undefined && fileIdentity(this.path) === this.identity) return this.rows;
    this.opening ??= this.open().finally(() => {
      this.opening = undefined;
    });
    await this.opening;
    return this.rows;
  }

  private async open(): Promise<void> {
    this.disconnect();
    const db = await openScoreFile(this.path, (message) => this.logger.warn(message));
    try {
      this.identity = fileIdentity(this.path);
      this.rows = new ScoreRows(db);
    } catch (error) {
      db.close();
      throw error;
    }
  }

  private disconnect(): void {
    this.rows?.db.close();
    this.rows = undefined;
  }

  /** Removes a damaged file; false when there is no sense in it any more. */
  private replace(error: unknown): boolean {
    if (++this.replacements > MOST_REPLACEMENTS) return false;
    try {
      const identity = this.rows === undefined ? fileIdentity(this.path) : this.identity;
      this.disconnect();
      removeScoreFile(this.path, identity);
    } catch (reason) {
      this.tell("replace", reason);
      return false;
    }
    this.logger.warn(`the score cache ${this.path} is damaged and begins anew: ${messageOf(error)}`);
    return true;
  }

  private tellOfDamagedRow(): void {
    this.tell("read", new Error("a row does not match its checksum and is passed over"));
  }

  private tell(action: string, error: unknown): undefined {
    const message = `cannot ${action} the score cache ${this.path}: ${messageOf(error)}`;
    if (this.told.has(message)) return;
    this.told.add(message);
    this.logger.warn(message);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function keyBytes(key: string): Buffer {
  if (!KEY.test(key)) throw invalidArgument("key", "64 hexadecimal digits", key);
  return Buffer.from(key, "hex");
}
