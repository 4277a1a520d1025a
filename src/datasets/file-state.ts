/** What tells whether a file is still the one that was read: size, time of modification, hash of its content. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, readFile, stat } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { throwIfAborted } from "../common/abort.js";
import { ioError, isMaxsimError, systemCode } from "../common/errors.js";

export interface FileState {
  /** Bytes. */
  readonly size: number;
  /** Time of the last modification, whole milliseconds since 1970. */
  readonly modified: number;
  /** SHA-256 of the content, hexadecimal. */
  readonly sha256: string;
}

/**
 * File systems give times in steps: of a tick of the kernel (10 ms at most, more where a loaded host delays it), or of one or
 * two seconds.
 */
const FINE_STEP_MS = 50;
const COARSE_STEP_MS = 2_000;

const CHUNK = 1 << 20;

/**
 * Size and time are taken before the content, so a file that changes meanwhile has another time than the state says.
 * A file that was modified within the last step of its clock is left alone until the step is over: a change after
 * this call cannot hide behind an equal time.
 * Errors: ABORTED, IO.
 */
export async function readFileState(path: string, signal?: AbortSignal): Promise<FileState> {
  try {
    let before = await stat(path);
    const wait = settlingTime(before.mtimeMs, Date.now());
    if (wait > 0) {
      await sleep(wait);
      before = await stat(path);
    }
    const hash = createHash("sha256");
    throwIfAborted(signal, "reading the corpus");
    // A stream takes longer to set up than most files take to read.
    if (before.size <= CHUNK) hash.update(await readFile(path));
    else {
      for await (const chunk of createReadStream(path, { highWaterMark: CHUNK }) as AsyncIterable<Buffer>) {
        throwIfAborted(signal, "reading the corpus");
        hash.update(chunk);
      }
    }
    return { size: before.size, modified: Math.floor(before.mtimeMs), sha256: hash.digest("hex") };
  } catch (error) {
    throw ioError("read", path, error);
  }
}

/** The state, or why the file cannot be read. Errors: ABORTED. */
export async function stateOrReason(
  path: string,
  signal: AbortSignal | undefined,
): Promise<FileState | string> {
  try {
    return await readFileState(path, signal);
  } catch (error) {
    if (isMaxsimError(error) && error.code === "IO") return error.message;
    throw error;
  }
}

/** Milliseconds until a later change is sure to get another time; 0 for times that lie in the future. */
export function settlingTime(modified: number, now: number): number {
  // A clock of whole seconds shows no fractions.
  const step = modified % 1000 === 0 ? COARSE_STEP_MS : FINE_STEP_MS;
  const age = now - modified;
  return age >= 0 && age < step ? Math.ceil(step - age) : 0;
}

/** Whether something lies at the path, be it a link that leads nowhere. Errors: IO. */
export async function pathExists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return false;
    throw ioError("look at", path, error);
  }
}
