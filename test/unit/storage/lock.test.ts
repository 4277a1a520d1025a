import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { afterEach, beforeEach, expect, test } from "vitest";
import { isMaxsimError } from "../../../src/common/errors.js";
import { WriterLock } from "../../../src/storage/lock.js";

/** Takes the lock in the way of `WriterLock` and reports on stdout (process) or as a message (thread). */
const TAKE_LOCK = `
  const Database = require("better-sqlite3");
  const { isMainThread, parentPort, workerData } = require("node:worker_threads");
  const say = (word) => isMainThread ? process.stdout.write(word) : parentPort.postMessage(word);
  const db = new Database(isMainThread ? process.argv[1] : workerData, { timeout: 0 });
  try {
    db.exec("BEGIN EXCLUSIVE");
    say("taken");
    setInterval(() => {}, 1000);
  } catch (error) {
    say(error.code);
  }
`;

let folder = "";
let child: ChildProcess | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "maxsim-test-"));
});

afterEach(() => {
  child?.kill("SIGKILL");
  child = undefined;
  rmSync(folder, { recursive: true, force: true });
});

/** What another process says about taking the lock; a holder lives on in `child`. */
function inProcess(): Promise<string> {
  const started = spawn(process.execPath, ["-e", TAKE_LOCK, join(folder, "write.lock")], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  child = started;
  return new Promise((resolve, reject) => {
    started.stdout.once("data", (data) => resolve(String(data)));
    started.once("error", reject);
  });
}

async function inThread(): Promise<string> {
  const worker = new Worker(TAKE_LOCK, { eval: true, workerData: join(folder, "write.lock") });
  const word = await new Promise<string>((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
  });
  await worker.terminate();
  return word;
}

function codeOfAcquire(): string {
  try {
    WriterLock.acquire(folder).release();
    return "acquired";
  } catch (error) {
    if (isMaxsimError(error)) return error.code;
    throw error;
  }
}

test("one holder in a process, and the next one after it lets go", () => {
  const lock = WriterLock.acquire(folder);
  expect(codeOfAcquire()).toBe("LOCKED");
  expect(codeOfAcquire()).toBe("LOCKED");
  lock.release();
  lock.release();
  expect(codeOfAcquire()).toBe("acquired");
});

test("a second process and a second thread are refused", async () => {
  const lock = WriterLock.acquire(folder);
  expect(await inProcess()).toBe("SQLITE_BUSY");
  expect(await inThread()).toBe("SQLITE_BUSY");
  // A refused attempt must not have dropped the lock of this process.
  expect(await inProcess()).toBe("SQLITE_BUSY");
  lock.release();
  expect(await inThread()).toBe("taken");
});

test("kill -9 of the holder frees the lock at once", async () => {
  expect(await inProcess()).toBe("taken");
  expect(codeOfAcquire()).toBe("LOCKED");
  const gone = new Promise((resolve) => child?.once("exit", resolve));
  child?.kill("SIGKILL");
  await gone;
  expect(codeOfAcquire()).toBe("acquired");
});

test("a missing folder and a file that is no lock", () => {
  expect(() => WriterLock.acquire(join(folder, "none"))).toThrow(/there is no index folder/);
  writeFileSync(join(folder, "write.lock"), "x".repeat(5000));
  expect(codeOfAcquire()).toBe("CORRUPT");
});
