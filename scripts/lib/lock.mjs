// A lock between processes of one machine: a file that holds the owner's process id.

import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { BootstrapError, say } from "./project.mjs";

const POLL_MS = 100;
/** A file without a process id is being written; after this long its writer is taken for dead. */
const WRITING_MS = 5_000;
/** Files of this process. Process ids come again, in containers often, so its id alone does not make a file its own. */
const held = new Set();

/**
 * Runs `work` while this process owns the lock at `path`. A lock whose owner is dead is taken over.
 *
 * @template T
 * @param {string} path
 * @param {number} timeoutMs
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(path, timeoutMs, work) {
  await acquire(path, timeoutMs);
  const release = () => {
    if (held.delete(path) && ownerOf(path) === process.pid) rmSync(path, { force: true });
  };
  process.once("exit", release);
  try {
    return await work();
  } finally {
    process.removeListener("exit", release);
    release();
  }
}

/** @param {string} path @param {number} timeoutMs */
async function acquire(path, timeoutMs) {
  mkdirSync(dirname(path), { recursive: true });
  const deadline = Date.now() + timeoutMs;
  let announced = false;
  while (!create(path)) {
    if (removeDead(path)) continue;
    if (!announced) say(`waiting for process ${ownerOf(path) ?? "?"}, which is making this checkout ready`);
    announced = true;
    if (Date.now() > deadline) {
      throw new BootstrapError(
        `process ${ownerOf(path) ?? "?"} still holds ${path}; remove that file if no such process is at work`,
      );
    }
    await sleep(POLL_MS);
  }
}

/** @param {string} path @returns {boolean} whether this process made the file and so owns the lock */
function create(path) {
  try {
    writeFileSync(path, String(process.pid), { flag: "wx" });
    held.add(path);
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  }
}

/**
 * Removes a dead owner's file. Two waiters may find the same dead owner, and the slower one must not remove the
 * faster one's new lock: a guard file, held for the moment of the removal, lets one of them in at a time.
 *
 * @param {string} path
 * @returns {boolean} whether to try again at once
 */
function removeDead(path) {
  if (!isDead(path)) return false;
  const guard = `${path}.guard`;
  if (!create(guard)) {
    if (isDead(guard)) renameAway(guard);
    return false;
  }
  try {
    if (isDead(path)) rmSync(path, { force: true });
  } finally {
    held.delete(guard);
    rmSync(guard, { force: true });
  }
  return true;
}

/** Renaming succeeds for one process only. @param {string} path */
function renameAway(path) {
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return;
    throw error;
  }
  rmSync(aside, { force: true });
}

/** @param {string} path */
function isDead(path) {
  const owner = ownerOf(path);
  if (owner === process.pid) return !held.has(path);
  if (owner !== undefined) return !isAlive(owner);
  try {
    return Date.now() - statSync(path).mtimeMs > WRITING_MS;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return false;
    throw error;
  }
}

/** @param {string} path @returns {number | undefined} undefined when there is no file or no number in it yet */
function ownerOf(path) {
  try {
    const text = readFileSync(path, "utf8");
    return /^[1-9][0-9]*$/.test(text) ? Number(text) : undefined;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: the process exists and belongs to another user.
    return codeOf(error) !== "ESRCH";
  }
}

/** @param {unknown} error */
function codeOf(error) {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
