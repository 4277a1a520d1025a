/**
 * `history.log`: when each generation was made, one line of JSON a commit. The catalog keeps no times, so that equal
 * input gives equal bytes; what stands here informs, and tells how long ago a file was superseded. A lost line only
 * makes a grace period longer.
 */
import { randomBytes } from "node:crypto";
import {
  appendFileSync,
  closeSync,
  constants,
  fstatSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { ioError, isMaxsimError, MaxsimError, systemCode } from "../common/errors.js";
import { temporaryBaseName } from "./file-names.js";

export const HISTORY_NAME = "history.log";

export interface HistoryLine {
  readonly generation: number;
  /** Milliseconds since 1970. */
  readonly time: number;
}

/** Some thousand of the last commits: what a grace period can ask for. */
const TAIL_BYTES = 256 * 1024;

/** One line of the log, ended by a line break. */
export function historyText({ generation, time }: HistoryLine): string {
  return `${JSON.stringify({ generation, time: new Date(time).toISOString() })}\n`;
}

/** Errors: DISK_FULL, IO, also when the name belongs to something else than a file. */
export function appendHistory(folder: string, line: HistoryLine): void {
  const path = join(folder, HISTORY_NAME);
  const { O_WRONLY, O_APPEND, O_CREAT, O_NONBLOCK = 0 } = constants;
  try {
    // O_NONBLOCK: a FIFO of that name would otherwise wait for a reader.
    const descriptor = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK, 0o666);
    try {
      if (!fstatSync(descriptor).isFile()) throw new MaxsimError("IO", `${path} is not a regular file`);
      appendFileSync(descriptor, historyText(line));
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw ioError("write", path, error);
  }
}

/** Commit times by generation, of all lines or of the last ones; lines that cannot be read are left out. */
export function readHistory(folder: string, part: "all" | "tail"): Map<number, number> {
  const times = new Map<number, number>();
  for (const line of readText(join(folder, HISTORY_NAME), part).split("\n")) {
    const parsed = parseLine(line);
    if (parsed !== undefined) times.set(parsed.generation, parsed.time);
  }
  return times;
}

/** Removes the log, if there is one. Errors: IO. */
export function removeHistory(folder: string): void {
  const path = join(folder, HISTORY_NAME);
  try {
    rmSync(path, { force: true });
  } catch (error) {
    throw ioError("remove", path, error);
  }
}

/** The highest generation that the last lines tell of; 0 when there are none. */
export function newestNoted(folder: string): number {
  return Math.max(0, ...timesOrNone(folder).keys());
}

/**
 * Writes the log again without lines that cannot be read and those of generations above `newest`, which do not exist. Only
 * under the writer lock. Errors: IO, DISK_FULL.
 */
export function rewriteHistory(folder: string, newest: number): void {
  const path = join(folder, HISTORY_NAME);
  const temporary = join(folder, temporaryBaseName(randomBytes(16).toString("hex")));
  const lines = [...readHistory(folder, "all")].filter(([generation]) => generation <= newest);
  try {
    writeFileSync(temporary, lines.map(([generation, time]) => historyText({ generation, time })).join(""), {
      flag: "wx",
      flush: true,
    });
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw ioError("write", path, error);
  }
}

/** How many lines cannot be read; what a crash left of the last one counts. */
export function unreadableHistoryLines(folder: string): number {
  const lines = readText(join(folder, HISTORY_NAME), "all").split("\n");
  return lines.filter((line) => line !== "" && parseLine(line) === undefined).length;
}

function parseLine(line: string): HistoryLine | undefined {
  const match = /^\{"generation":(\d{1,15}),"time":"([0-9T:.Z-]{24})"\}$/.exec(line);
  if (match === null) return undefined;
  const time = Date.parse(match[2]!);
  return Number.isNaN(time) ? undefined : { generation: Number(match[1]), time };
}

function readText(path: string, part: "all" | "tail"): string {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    if (systemCode(error) === "ENOENT") return "";
    throw ioError("open", path, error);
  }
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) return "";
    const length = part === "tail" ? Math.min(stats.size, TAIL_BYTES) : stats.size;
    const bytes = Buffer.alloc(length);
    let filled = 0;
    while (filled < length) {
      const count = readSync(descriptor, bytes, filled, length - filled, stats.size - length + filled);
      if (count === 0) break;
      filled += count;
    }
    return bytes.toString("utf8", 0, filled);
  } catch (error) {
    throw ioError("read", path, error);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * The newest generation that was made at least `grace` milliseconds ago, 0 when none was. Generations after one that is
 * older are younger than it, so a missing line costs nothing but time.
 */
export function settledGeneration(folder: string, newest: number, grace: number, now = Date.now()): number {
  if (grace <= 0) return newest;
  let settled = 0;
  for (const [generation, time] of timesOrNone(folder)) {
    if (generation <= newest && time <= now - grace) settled = Math.max(settled, generation);
  }
  return settled;
}

/** The log informs; one that cannot be read makes everything young, and stops no write. */
function timesOrNone(folder: string): Map<number, number> {
  try {
    return readHistory(folder, "tail");
  } catch (error) {
    if (!isMaxsimError(error)) throw error;
    return new Map();
  }
}
