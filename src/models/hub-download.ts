/** One file from the hub into the cache: resumed where a broken download left off, checked, then renamed into place. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { ioError, systemCode } from "../common/errors.js";
import { type Connection, networkError, request } from "./hub-connection.js";

export interface RemoteFile {
  readonly url: string;
  /** Bytes, where the server says so. */
  readonly size: number | undefined;
  /** Set where the server names one (large files). */
  readonly sha256: string | undefined;
}

/** Temporary files that this process writes right now; others of its name are leftovers of a broken download. */
const active = new Set<string>();
let started = 0;

/** Downloads to `target`, which appears only when it is whole. `onBytes` gets the bytes that are there so far. */
export async function downloadFile(
  remote: RemoteFile,
  target: string,
  connection: Connection,
  onBytes: (done: number) => void,
): Promise<void> {
  const temporary = `${target}.${process.pid}-${++started}.incomplete`;
  active.add(temporary);
  try {
    await mkdir(dirname(target), { recursive: true });
    await adoptLeftover(target, temporary);
    const file = await open(temporary, "a");
    try {
      await fetchRest(remote, file, connection, onBytes);
    } finally {
      await file.close();
    }
    await checkDigest(remote, temporary);
    await rename(temporary, target);
  } catch (error) {
    throw ioError("write", temporary, error);
  } finally {
    active.delete(temporary);
  }
}

async function fetchRest(
  remote: RemoteFile,
  file: FileHandle,
  { headers, signal }: Connection,
  onBytes: (done: number) => void,
): Promise<void> {
  let done = (await file.stat()).size;
  // A leftover that is whole needs no request; asking for what comes after it would be an error (416).
  if (remote.size !== undefined && done === remote.size) return;
  if (remote.size !== undefined && done > remote.size) {
    await file.truncate(0);
    done = 0;
  }
  const init = (): RequestInit => ({
    headers: done === 0 ? { ...headers } : { ...headers, Range: `bytes=${done}-` },
  });
  await request(remote.url, init, signal, async (response, alive) => {
    const { status, body } = response;
    if ((status !== 200 && status !== 206) || body === null) {
      await file.truncate(0);
      throw networkError(remote.url, `the server answered ${status}`);
    }
    if (status === 200 && done > 0) {
      // No ranges on this server: it sends everything again.
      await file.truncate(0);
      done = 0;
    }
    for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
      await file.appendFile(chunk).catch((error: unknown) => {
        throw ioError("write", "the download cache", error);
      });
      done += chunk.length;
      alive();
      onBytes(done);
    }
    if (remote.size !== undefined && done < remote.size) {
      throw new Error(`the connection ended after ${done} of ${remote.size} bytes`);
    }
  });
}

/** Takes over what a broken download has left of the same file: one of this process, or of one that is gone. */
async function adoptLeftover(target: string, temporary: string): Promise<void> {
  const folder = dirname(target);
  const prefix = `${basename(target)}.`;
  for (const entry of await readdir(folder)) {
    const pid = entry.startsWith(prefix)
      ? /^(\d+)-\d+\.incomplete$/.exec(entry.slice(prefix.length))?.[1]
      : undefined;
    if (pid === undefined || active.has(join(folder, entry))) continue;
    if (Number(pid) !== process.pid && isRunning(Number(pid))) continue;
    try {
      await rename(join(folder, entry), temporary);
      return;
    } catch (error) {
      // Another process was faster.
      if (systemCode(error) !== "ENOENT") throw error;
    }
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) !== "ESRCH";
  }
}

/** What does not match is removed, so that the next try starts from nothing. */
async function checkDigest(remote: RemoteFile, path: string): Promise<void> {
  const hash = createHash("sha256");
  let size = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    hash.update(chunk as Buffer);
    size += (chunk as Buffer).length;
  }
  const digest = hash.digest("hex");
  if (remote.size !== undefined && size !== remote.size) {
    await rm(path, { force: true });
    throw networkError(remote.url, `expected ${remote.size} bytes, got ${size}`);
  }
  if (remote.sha256 !== undefined && digest !== remote.sha256) {
    await rm(path, { force: true });
    throw networkError(remote.url, `expected SHA-256 ${remote.sha256}, got ${digest}`);
  }
}
