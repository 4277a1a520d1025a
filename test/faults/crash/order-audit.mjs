/**
 * Reads a trace of a healthy write and finds what a power cut could tear: a file that gets its name before its bytes are
 * durable, a name that is not durable when the commit that needs it is, an acknowledgement in front of the commit.
 */
import { rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { faultEnvironment, readLog } from "../lib/interpose.mjs";
import { readStrace, straceArguments } from "../lib/strace.mjs";
import { runDriver } from "./run-driver.mjs";

/**
 * Performs operations under strace.
 * @returns {Promise<{ events: object[], counted: object[] | undefined }>} the trace, and what the interposed library counted, when
 *   there is one.
 */
export async function traceOperations({ place, dist, operations, library }) {
  const trace = `${place.scratch}.strace`;
  const log = `${place.scratch}.calls`;
  try {
    const env = library === undefined ? process.env : faultEnvironment(library, place.folder, { log });
    const job = { ...place, dist, operations };
    const run = await runDriver(job, { command: ["strace", ...straceArguments(trace)], env });
    if (!run.done) throw new Error(`under strace: ${run.lines.join(" | ")} ${run.stderr}`);
    const counted = library === undefined ? undefined : readLog(log).filter(({ phase }) => phase === "begin");
    return { events: readStrace(trace), counted };
  } finally {
    rmSync(trace, { force: true });
    rmSync(log, { force: true });
  }
}

/**
 * @param {readonly import("../lib/strace.mjs").TracedCall[]} events
 * @param {string} folder of the index
 * @returns {string[]} broken rules, in words; empty for a sound write.
 */
export function auditOrder(events, folder) {
  return new OrderAudit(folder).run(events);
}

const FOLDER = "a folder";

class OrderAudit {
  #problems = new Set();
  /** Paths with bytes that no sync covers. */
  #dirty = new Set();
  /** Paths that a sync is running on, with the writes before it began. */
  #syncing = new Map();
  /** Names that are not durable yet: path to what they are. */
  #names = new Map();
  #published = new Set();
  #commits = 0;
  #committedSinceMark = false;

  constructor(folder) {
    this.folder = folder;
    this.wal = join(folder, "catalog.sqlite-wal");
    this.catalog = join(folder, "catalog.sqlite");
  }

  run(events) {
    let started = false;
    for (const event of events) {
      if (event.path === `${this.folder}.go`) started = true;
      if (!started || event.path === undefined) continue;
      if (event.path === `${this.folder}.ack`) {
        if (event.phase === "begin") this.#acknowledged();
      } else if (event.path === dirname(this.folder) || isBelow(event.path, this.folder)) {
        if (event.phase === "begin") this.#begin(event);
        else if (!event.failed) this.#end(event);
      }
    }
    return [...this.#problems];
  }

  #begin({ call, path, from }) {
    if (call === "write" || call === "truncate") {
      if (this.#published.has(path)) this.#problem(`${path} is changed after it got its name`);
      if (call === "truncate" && path === this.wal && this.#dirty.has(this.catalog)) {
        this.#problem("the log is emptied before the catalog is synced");
      }
    }
    if (call === "link" && this.#dirty.has(from))
      this.#problem(`${kindOf(path)} gets its name before its bytes are synced`);
    if (call === "sync") {
      if (path === this.wal && this.#dirty.has(path)) this.#commit();
      this.#syncing.set(path, [...this.#names.keys()]);
    }
  }

  #end({ call, path, from, creates }) {
    if (call === "write") this.#dirty.add(path);
    // Emptying the log needs no sync: its content is in the catalog by then.
    if (call === "truncate" && path === this.wal) this.#dirty.delete(path);
    if (call === "link") {
      this.#published.add(path);
      this.#names.set(path, kindOf(path));
      this.#names.delete(from);
    }
    if (call === "mkdir") this.#names.set(path, FOLDER);
    if (call === "open" && creates && path === this.catalog && this.#commits === 0)
      this.#names.set(path, "the catalog");
    if (call === "unlink") {
      this.#names.delete(path);
      this.#dirty.delete(path);
    }
    if (call === "sync") this.#synced(path);
  }

  #synced(path) {
    this.#dirty.delete(path);
    // Only names that were there when the sync of their folder began.
    for (const name of this.#syncing.get(path) ?? []) if (dirname(name) === path) this.#names.delete(name);
    if (path === this.wal || path === this.catalog) this.#committedSinceMark = true;
  }

  #commit() {
    this.#commits++;
    for (const [path, what] of this.#names) {
      // The catalog's own name is made durable behind its first commit, in front of the acknowledgement.
      if (this.#published.has(path) || (what === FOLDER && path !== this.folder && this.#matters(path))) {
        this.#problem(`the commit is synced before the name of ${what} is`);
      }
    }
    for (const path of this.#published)
      if (this.#dirty.has(path)) this.#problem(`the commit is synced before ${kindOf(path)} is`);
  }

  #acknowledged() {
    if (!this.#committedSinceMark)
      this.#problem("it is acknowledged without a sync of the catalog or its log");
    if (this.#dirty.has(this.wal) || this.#dirty.has(this.catalog))
      this.#problem("it is acknowledged before the commit is synced");
    for (const [path, what] of this.#names) {
      if (this.#matters(path)) this.#problem(`it is acknowledged before the name of ${what} is durable`);
    }
    this.#committedSinceMark = false;
  }

  /** Folders in which nothing is published (locks of readers) may vanish. */
  #matters(path) {
    return (
      this.#names.get(path) !== FOLDER ||
      path === this.folder ||
      [...this.#published].some((name) => dirname(name) === path)
    );
  }

  #problem(text) {
    this.#problems.add(text.replaceAll(this.folder, "").replaceAll(/[0-9a-f]{32}/g, "<id>"));
  }
}

function kindOf(path) {
  return /\.(segment|codec)$/.exec(path) ? `a ${path.split(".").at(-1)}` : path;
}

function isBelow(path, folder) {
  return path === folder || path.startsWith(`${folder}/`);
}
