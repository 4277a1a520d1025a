import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { beforeEach, describe, expect, it } from "vitest";
import { heldGenerations, lockedGenerations, SnapshotLock } from "../../../src/storage/snapshot-lock.js";
import { temporaryFolders } from "../../support/temp-folder.js";

const newFolder = temporaryFolders();
let path = "";
const folder = (): string => path;

beforeEach(async () => {
  path = await newFolder();
});

/** Holds the lock of generation 1 in another process or thread, which ends while holding it. */
const HOLD = `
  const Database = require("better-sqlite3");
  const db = new Database(process.env.LOCK_PATH);
  db.exec("BEGIN");
  db.prepare("SELECT count(*) FROM sqlite_schema").get();
`;

describe("snapshot locks", () => {
  it("are shared by readers and seen by the writer", () => {
    const first = SnapshotLock.hold(folder(), 1);
    const second = SnapshotLock.hold(folder(), 1);
    const newest = SnapshotLock.hold(folder(), 3);
    expect(heldGenerations(folder(), 3)).toEqual([1]);
    first.release();
    expect(heldGenerations(folder(), 3)).toEqual([1]);
    second.release();
    expect(heldGenerations(folder(), 3)).toEqual([]);
    expect(lockedGenerations(folder())).toEqual([3]);
    newest.release();
  });

  it("keep the lock file of the newest generation, held or not", () => {
    SnapshotLock.hold(folder(), 2).release();
    expect(heldGenerations(folder(), 2)).toEqual([]);
    expect(lockedGenerations(folder())).toEqual([2]);
  });

  it("are freed by the kernel when a process is killed", () => {
    const lock = join(folder(), "snapshots", "1.lock");
    mkdirSync(join(folder(), "snapshots"));
    const { signal } = spawnSync(process.execPath, ["-e", `${HOLD}; process.kill(process.pid, "SIGKILL")`], {
      env: { ...process.env, LOCK_PATH: lock },
      cwd: process.cwd(),
    });
    expect(signal).toBe("SIGKILL");
    expect(existsSync(lock)).toBe(true);
    expect(heldGenerations(folder(), 2)).toEqual([]);
    expect(existsSync(lock)).toBe(false);
  });

  it("see a reader in another thread", async () => {
    mkdirSync(join(folder(), "snapshots"));
    const code = `${HOLD}; require("node:worker_threads").parentPort.once("message", () => db.close());
      require("node:worker_threads").parentPort.postMessage("held");`;
    const env = { ...process.env, LOCK_PATH: join(folder(), "snapshots", "1.lock") };
    const worker = new Worker(code, { eval: true, env });
    await new Promise((resolve) => worker.once("message", resolve));
    expect(heldGenerations(folder(), 2)).toEqual([1]);
    worker.postMessage("release");
    await new Promise((resolve) => worker.once("exit", resolve));
    expect(heldGenerations(folder(), 2)).toEqual([]);
  });

  it("leave files of other names alone", () => {
    mkdirSync(join(folder(), "snapshots"));
    writeFileSync(join(folder(), "snapshots", "notes.txt"), "mine");
    expect(heldGenerations(folder(), 9)).toEqual([]);
    expect(existsSync(join(folder(), "snapshots", "notes.txt"))).toBe(true);
  });
});
