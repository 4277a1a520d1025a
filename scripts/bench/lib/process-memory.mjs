// Resident memory of a process, by kind, from /proc (Linux).

import { readFileSync } from "node:fs";

/**
 * Bytes. `anonymous` is memory of the process itself (heap, buffers, stacks), `file` are resident pages of mapped
 * files, which the system may drop at any time, `shared` shared memory; `peak` is the largest sum so far.
 *
 * @typedef {object} ProcessMemory
 * @property {number} resident
 * @property {number} anonymous
 * @property {number} file
 * @property {number} shared
 * @property {number} peak
 */

/**
 * @param {number | "self"} pid
 * @returns {ProcessMemory | undefined} undefined when the process is gone or the system has no /proc
 */
export function processMemory(pid = "self") {
  let text;
  try {
    text = readFileSync(`/proc/${pid}/status`, "latin1");
  } catch (error) {
    if (error.code === "ENOENT" || error.code === "ESRCH") return undefined;
    throw error;
  }
  return parseStatus(text);
}

/** @param {string} text of /proc/PID/status @returns {ProcessMemory | undefined} undefined for a process that ended */
export function parseStatus(text) {
  const bytes = (name) => {
    const found = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(text);
    return found === null ? undefined : Number(found[1]) * 1024;
  };
  const resident = bytes("VmRSS");
  if (resident === undefined) return undefined;
  return {
    resident,
    anonymous: bytes("RssAnon"),
    file: bytes("RssFile"),
    shared: bytes("RssShmem"),
    peak: bytes("VmHWM"),
  };
}

/** Looks at a process again and again and keeps the largest of each number. */
export class MemorySampler {
  /** @param {number} pid @param {number} [everyMs] */
  constructor(pid, everyMs = 20) {
    this.pid = pid;
    this.timer = setInterval(() => this.look(), everyMs);
    this.reset();
  }

  /** Starts a new phase. */
  reset() {
    this.largest = undefined;
    this.look();
  }

  look() {
    const now = processMemory(this.pid);
    if (now === undefined) return;
    this.largest = largest(this.largest, now);
  }

  stop() {
    clearInterval(this.timer);
  }
}

/** Of each number the larger one; either may be undefined. */
export function largest(a, b) {
  if (a === undefined || b === undefined) return a ?? b;
  return Object.fromEntries(Object.keys(a).map((key) => [key, Math.max(a[key], b[key])]));
}
