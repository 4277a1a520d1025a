import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, mkdir, open as openFile, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { crc32 } from "node:zlib";
import Database from "better-sqlite3";
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { systemCode } from "../../../src/common/errors.js";
import { Random } from "../../../src/common/random.js";
import type { ScoreCache } from "../../../src/rerank/score-cache.js";
import {
  defaultScoreCachePath,
  type ScoreCacheOptions,
  SqliteScoreCache,
} from "../../../src/storage/score-cache.js";
import { rowBytes } from "../../../src/storage/score-cache-rows.js";
import { temporaryFolders } from "../../support/temp-folder.js";

const newFolder = temporaryFolders();
const opened: SqliteScoreCache[] = [];
const warnings: string[] = [];
const logger = { debug() {}, info() {}, warn: (message: string) => void warnings.push(message) };

afterEach(async () => {
  vi.useRealTimers();
  warnings.length = 0;
  for (const cache of opened.splice(0)) await cache.close();
});

async function open(path: string, options: ScoreCacheOptions = {}): Promise<SqliteScoreCache> {
  const cache = await SqliteScoreCache.open({ path, logger, ...options });
  opened.push(cache);
  return cache;
}

const newPath = async (): Promise<string> => join(await newFolder(), "cache", "scores.sqlite");

function keyOf(n: number): string {
  return createHash("sha256").update(String(n)).digest("hex");
}

function entriesOf(from: number, to: number, length = 1): { key: string; values: Float64Array }[] {
  return Array.from({ length: to - from }, (_, i) => {
    return { key: keyOf(from + i), values: new Float64Array(length).fill(from + i) };
  });
}

/** Which of the keys 0 to `count` are there. */
async function present(cache: SqliteScoreCache, count: number): Promise<number[]> {
  const found = await cache.lookUp(Array.from({ length: count }, (_, n) => keyOf(n)));
  return found.flatMap((values, n) => (values === undefined ? [] : [n]));
}

/** The totals that are kept, and those of the rows. */
function totalsOf(path: string): { kept: unknown; counted: unknown } {
  const db = new Database(path, { readonly: true });
  const rows = db.prepare<[], number>("SELECT length(scores) FROM scores").pluck().all();
  const kept = db.prepare("SELECT entries, bytes FROM totals").get();
  db.close();
  return {
    kept,
    counted: { entries: rows.length, bytes: rows.reduce((sum, length) => sum + rowBytes(length), 0) },
  };
}

async function overwrite(path: string, at: number, bytes: Buffer): Promise<void> {
  const file = await openFile(path, "r+");
  await file.write(bytes, 0, bytes.length, at);
  await file.close();
}

describe("a score cache", () => {
  it("gives back what was stored, to another object and the next process as well", async () => {
    const path = await newPath();
    const first: ScoreCache & SqliteScoreCache = await open(path);
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.tuple(fc.nat(), fc.float64Array({ maxLength: 40 })), {
          selector: ([n]) => n,
          maxLength: 20,
        }),
        async (pairs) => {
          await first.store(pairs.map(([n, values]) => ({ key: keyOf(n), values })));
          const found = await first.lookUp(pairs.map(([n]) => keyOf(n)));
          expect(found).toEqual(pairs.map(([, values]) => values));
        },
      ),
      { numRuns: 30 },
    );
    await first.clear();
    await first.store([
      { key: keyOf(1), values: Float64Array.of(0.1, -0, Number.MIN_VALUE, Number.MAX_VALUE, -1e300) },
      { key: keyOf(2), values: new Float64Array(0) },
    ]);
    await first.close();
    const second = await open(path);
    expect(await second.lookUp([keyOf(1), keyOf(3), keyOf(2), keyOf(1).toUpperCase()])).toEqual([
      Float64Array.of(0.1, -0, Number.MIN_VALUE, Number.MAX_VALUE, -1e300),
      undefined,
      new Float64Array(0),
      Float64Array.of(0.1, -0, Number.MIN_VALUE, Number.MAX_VALUE, -1e300),
    ]);
    expect(await second.stats()).toMatchObject({ path, entries: 2, hits: 3, misses: 1, hitRate: 0.75 });
    expect(warnings).toEqual([]);
  });

  it("replaces values, clears, and counts exactly", async () => {
    const path = await newPath();
    const cache = await open(path);
    expect(await cache.stats()).toEqual({ path, entries: 0, bytes: 0, hits: 0, misses: 0, hitRate: 0 });
    await cache.store(entriesOf(0, 10));
    await cache.store(entriesOf(5, 15, 300));
    expect(await cache.lookUp([keyOf(4), keyOf(5)])).toEqual([
      Float64Array.of(4),
      new Float64Array(300).fill(5),
    ]);
    const { kept, counted } = totalsOf(path);
    expect(kept).toEqual(counted);
    expect(await cache.stats()).toMatchObject({ entries: 15, bytes: 5 * rowBytes(8) + 10 * rowBytes(2_400) });
    await cache.clear();
    expect(await cache.stats()).toMatchObject({ entries: 0, bytes: 0 });
    expect(await present(cache, 15)).toEqual([]);
  });

  it("is empty after it was closed", async () => {
    const cache = await open(await newPath());
    await cache.store(entriesOf(0, 1));
    await cache.close();
    await cache.close();
    await cache.store(entriesOf(1, 2));
    expect(await cache.lookUp([keyOf(0)])).toEqual([undefined]);
    expect(warnings).toEqual([]);
  });

  it("lies in the user's cache folder", () => {
    expect(defaultScoreCachePath({ XDG_CACHE_HOME: "/x" })).toBe(join("/x", "maxsim", "scores.sqlite"));
    const usual = join(homedir(), ".cache", "maxsim", "scores.sqlite");
    expect(defaultScoreCachePath({})).toBe(usual);
    expect(defaultScoreCachePath({ XDG_CACHE_HOME: "relative" })).toBe(usual);
  });

  it("refuses wrong options and keys", async () => {
    const path = await newPath();
    await expect(SqliteScoreCache.open({ path, maxBytes: 1_000 })).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringMatching(/maxBytes must be an integer of at least 1048576, found 1000/),
    });
    await expect(SqliteScoreCache.open({ path: "" })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    const cache = await open(path);
    await expect(cache.lookUp(["abc"])).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });
});

describe("a full score cache", () => {
  const MIB = 1 << 20;

  it("stays within its bytes, and so does its file, about", async () => {
    const path = await newPath();
    const cache = await open(path, { maxBytes: MIB });
    for (let at = 0; at < 20_000; at += 2_000) {
      await cache.store(entriesOf(at, at + 2_000));
      expect((await cache.stats()).bytes).toBeLessThanOrEqual(MIB);
    }
    const { kept, counted } = totalsOf(path);
    expect(kept).toEqual(counted);
    const { entries, bytes } = await cache.stats();
    expect(bytes).toBeGreaterThan(0.9 * MIB);
    expect(entries).toBe(Math.floor(bytes / rowBytes(8)));
    await cache.close();
    expect((await stat(path)).size).toBeLessThan(1.3 * MIB);
    // What is left are the newest.
    const again = await open(path);
    expect(await again.lookUp([keyOf(0), keyOf(19_999)])).toEqual([undefined, Float64Array.of(19_999)]);
  });

  it("forgets what was not used for longest, though uses are not written at once", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const path = await newPath();
    const cache = await open(path, { maxBytes: MIB });
    // Values of 400 numbers: about 300 of them fill the cache.
    const fits = Math.floor(MIB / rowBytes(3_200));
    for (let n = 0; n < fits - 1; n++) {
      await cache.store(entriesOf(n, n + 1, 400));
      vi.advanceTimersByTime(1_000);
    }
    vi.advanceTimersByTime(600_000);
    expect(await present(cache, 3)).toEqual([0, 1, 2]);
    await cache.store(entriesOf(fits, fits + 20, 400));
    const left = new Set(await present(cache, fits + 20));
    expect([0, 1, 2, fits, fits + 19].filter((n) => !left.has(n))).toEqual([]);
    expect([3, 4, 5].filter((n) => left.has(n))).toEqual([]);
  });

  it("writes nothing for what was used a moment ago", async () => {
    const path = await newPath();
    const cache = await open(path);
    await cache.store(entriesOf(0, 100));
    const size = async (): Promise<number> => (await stat(`${path}-wal`)).size;
    const before = await size();
    for (let i = 0; i < 50; i++) await present(cache, 100);
    await cache.store([]);
    expect(await size()).toBe(before);
  });

  it("can be opened with less room", async () => {
    const path = await newPath();
    await (await open(path)).store(entriesOf(0, 12_000));
    const small = await open(path, { maxBytes: MIB });
    await small.store(entriesOf(12_000, 12_001));
    expect((await small.stats()).bytes).toBeLessThanOrEqual(MIB);
    const { kept, counted } = totalsOf(path);
    expect(kept).toEqual(counted);
  });
});

describe("the file of a score cache", () => {
  it("is set aside when it is something else, and the cache begins anew", async () => {
    const path = await newPath();
    await mkdir(join(path, ".."));
    await writeFile(path, "Dear diary,\n".repeat(100));
    const cache = await open(path);
    await cache.store(entriesOf(0, 1));
    expect(await present(cache, 1)).toEqual([0]);
    expect(warnings).toEqual([
      expect.stringMatching(/is not a score cache: it is now called .*set-aside-\d+/),
    ]);
    const aside = (await readdir(join(path, ".."))).find((name) => name.includes("set-aside"))!;
    expect(await readFile(join(path, "..", aside), "utf8")).toMatch(/^Dear diary,/);
  });

  it("is left alone when it is a database of somebody else; the cache is empty then", async () => {
    const path = join(await newFolder(), "other.sqlite");
    const other = new Database(path);
    other.exec("CREATE TABLE letters (text); INSERT INTO letters VALUES ('a')");
    other.close();
    const before = await readFile(path);
    const cache = await open(path);
    await cache.store(entriesOf(0, 1));
    expect(await present(cache, 1)).toEqual([]);
    expect(warnings).toEqual([expect.stringMatching(/is a database, but not one of cached scores/)]);
    expect((await readFile(path)).equals(before)).toBe(true);
  });

  it("of a newer version is left alone, one of an older version replaced", async () => {
    const path = await newPath();
    await (await open(path)).store(entriesOf(0, 1));
    const setVersion = (version: number): void => {
      const db = new Database(path);
      db.pragma(`user_version = ${version}`);
      db.close();
    };
    await opened.pop()!.close();
    setVersion(2);
    const cache = await open(path);
    expect(await present(cache, 1)).toEqual([]);
    expect(warnings).toEqual([expect.stringMatching(/format version 2, this package reads up to version 1/)]);
    setVersion(0);
    const renewed = await open(path);
    await renewed.store(entriesOf(7, 8));
    expect(await renewed.stats()).toMatchObject({ entries: 1 });
    expect(warnings[1]).toMatch(/older version/);
  });

  it("may be removed while it is in use", async () => {
    const path = await newPath();
    const cache = await open(path);
    await cache.store(entriesOf(0, 1));
    await rm(join(path, ".."), { recursive: true });
    expect(await present(cache, 1)).toEqual([]);
    await cache.store(entriesOf(0, 1));
    expect(await present(await open(path), 1)).toEqual([0]);
  });

  it("may be removed, and the cache closed, while others wait for it", async () => {
    const path = await newPath();
    for (const turns of [0, 1, 2]) {
      const cache = await open(path);
      await rm(path);
      const work = [1, 2, 3].map((n) => cache.store(entriesOf(n, n + 1)));
      for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
      await Promise.all([...work, cache.close()]);
      expect(await cache.lookUp([keyOf(1)])).toEqual([undefined]);
    }
    expect(warnings).toEqual([]);
  });

  it("that cannot be made leaves an empty cache and one warning", async () => {
    const folder = await newFolder();
    await writeFile(join(folder, "file"), "");
    for (const path of [join(folder, "file", "scores.sqlite"), folder]) {
      const cache = await open(path);
      await cache.store(entriesOf(0, 1));
      expect(await present(cache, 1)).toEqual([]);
      expect(await cache.stats()).toMatchObject({ entries: 0, misses: 1 });
      expect(warnings.splice(0)).toEqual([expect.stringMatching(/cannot open the score cache/)]);
    }
  });

  it.skipIf(process.getuid?.() === 0)("in a read-only folder is an empty cache (not as root)", async () => {
    const path = await newPath();
    await mkdir(join(path, ".."));
    await chmod(join(path, ".."), 0o500);
    const cache = await open(path);
    await cache.store(entriesOf(0, 1));
    expect(await present(cache, 1)).toEqual([]);
    expect(warnings).toHaveLength(1);
    await chmod(join(path, ".."), 0o700);
  });

  it("never gives wrong values, wherever a byte is damaged", async () => {
    const path = await newPath();
    const count = 300;
    await (await open(path)).store(entriesOf(0, count, 2));
    await opened.pop()!.close();
    const whole = await readFile(path);
    const random = new Random(11);
    let missing = 0;
    for (let round = 0; round < 24; round++) {
      const damaged = Buffer.from(whole);
      const at = round < 8 ? random.below(100) : random.below(whole.length);
      damaged[at] = damaged[at]! ^ (1 + random.below(255));
      await writeFile(path, damaged);
      const cache = await open(path);
      const found = await cache.lookUp(Array.from({ length: count }, (_, n) => keyOf(n)));
      for (const [n, values] of found.entries()) {
        if (values === undefined) missing++;
        else expect(values).toEqual(Float64Array.of(n, n));
      }
      await cache.store(entriesOf(0, count, 2));
      await cache.close();
      for (const name of await readdir(join(path, ".."))) await rm(join(path, "..", name));
    }
    expect(missing).toBeGreaterThan(0);
  });

  it("counts again when the record of its totals is damaged", async () => {
    const path = await newPath();
    const cache = await open(path);
    await cache.store(entriesOf(0, 50));
    const db = new Database(path);
    db.exec("UPDATE totals SET bytes = 1");
    db.close();
    await cache.store(entriesOf(50, 60));
    const { kept, counted } = totalsOf(path);
    expect(kept).toEqual(counted);
    expect(await cache.stats()).toMatchObject({ entries: 60 });
  });

  it("whose totals are too high is not emptied for it again and again", async () => {
    const path = await newPath();
    const cache = await open(path, { maxBytes: 1 << 20 });
    await cache.store(entriesOf(0, 50));
    const db = new Database(path);
    const text = `50 ${1 << 30}`;
    db.prepare("UPDATE totals SET bytes = ?, checksum = ?").run(1 << 30, crc32(text));
    db.close();
    await cache.store(entriesOf(50, 60));
    const { kept, counted } = totalsOf(path);
    expect(kept).toEqual(counted);
    await cache.store(entriesOf(60, 70));
    expect(await present(cache, 70)).toEqual(Array.from({ length: 10 }, (_, i) => 60 + i));
    expect(warnings).toEqual([]);
  });

  it("that is damaged while it is in use begins anew", async () => {
    const path = await newPath();
    const cache = await open(path);
    await cache.store(entriesOf(0, 5_000));
    await cache.close();
    const used = await open(path);
    // All pages but the first, which has the header.
    await overwrite(path, 4_096, Buffer.alloc((await stat(path)).size - 4_096, 0xa5));
    expect(await present(used, 10)).toEqual([]);
    expect(warnings).toEqual([expect.stringMatching(/is damaged and begins anew/)]);
    await used.store(entriesOf(0, 10));
    expect(await present(used, 10)).toHaveLength(10);
  });
});

const BUILT = fileURLToPath(new URL("../../../dist/storage/score-cache.js", import.meta.url));

/** Stores and looks up for a while, and fails at a wrong value. The value of a key is part of the key. */
const CHILD = `
  import { createHash } from "node:crypto";
  import { pathToFileURL } from "node:url";
  const [, built, path, milliseconds, maxBytes] = process.argv;
  const { SqliteScoreCache } = await import(pathToFileURL(built));
  const warnings = [];
  const logger = { debug() {}, info() {}, warn: (message) => warnings.push(message) };
  const cache = await SqliteScoreCache.open({ path, maxBytes: Number(maxBytes), logger });
  const keyOf = (n) => createHash("sha256").update(String(n)).digest("hex");
  const valueOf = (key) => parseInt(key.slice(0, 12), 16);
  const some = () => Array.from({ length: 60 }, () => keyOf(Math.floor(Math.random() * 20_000)));
  let stored = 0;
  console.log("started");
  for (const start = Date.now(); Date.now() - start < Number(milliseconds); ) {
    const keys = some();
    await cache.store(keys.map((key) => ({ key, values: Float64Array.of(valueOf(key), stored) })));
    stored += keys.length;
    const asked = some().concat(keys);
    const found = await cache.lookUp(asked);
    found.forEach((values, i) => {
      if (values !== undefined && (values.length !== 2 || values[0] !== valueOf(asked[i]))) {
        console.error("a wrong value", asked[i], values);
        process.exit(3);
      }
    });
  }
  const { hits, misses } = await cache.stats();
  await cache.close();
  console.log(JSON.stringify({ stored, hits, misses, warnings }));
`;

/** Opens one cache after another, and says what the logger was told. */
const BEGINNER = `
  import { pathToFileURL } from "node:url";
  const [, built, ...paths] = process.argv;
  const { SqliteScoreCache } = await import(pathToFileURL(built));
  const warnings = [];
  const logger = { debug() {}, info() {}, warn: (message) => warnings.push(message) };
  const key = "ab".repeat(32);
  // All at the same moment, as far as they have a clock.
  const at = Math.ceil(Date.now() / 1_000) * 1_000 + 200;
  await new Promise((resolve) => setTimeout(resolve, at - Date.now()));
  for (const path of paths) {
    const cache = await SqliteScoreCache.open({ path, logger });
    await cache.store([{ key, values: Float64Array.of(1) }]);
    const [values] = await cache.lookUp([key]);
    if (values?.[0] !== 1) warnings.push(path + " lacks what was stored");
    await cache.close();
  }
  console.log(JSON.stringify(warnings));
`;

interface Worked {
  readonly status: number | null;
  readonly output: string;
}

function startChild(path: string, milliseconds: number): { child: ChildProcess; done: Promise<Worked> } {
  const limits = [String(milliseconds), String(1 << 20)];
  return startProcess(["--input-type=module", "-e", CHILD, BUILT, path, ...limits]);
}

function startProcess(args: readonly string[]): { child: ChildProcess; done: Promise<Worked> } {
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  child.stdout.on("data", (text) => {
    output += text;
  });
  child.stderr.on("data", (text) => {
    output += text;
  });
  const done = new Promise<Worked>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, output }));
  });
  return { child, done };
}

describe.skipIf(!existsSync(BUILT))("a score cache of several processes (needs dist)", () => {
  it("stays exact and within its bytes, also when one is killed", async () => {
    const path = await newPath();
    const children = Array.from({ length: 4 }, () => startChild(path, 1_200));
    const [killed, ...others] = children;
    killed!.child.stdout!.once("data", () => setTimeout(() => killed!.child.kill("SIGKILL"), 300));
    for (const { done } of others) {
      const { status, output } = await done;
      expect(output).toMatch(/"stored":\d+,"hits":[1-9]\d*,.*"warnings":\[\]/);
      expect(status).toBe(0);
    }
    await killed!.done;
    const { kept, counted } = totalsOf(path);
    expect(kept).toEqual(counted);
    expect((await (await open(path)).stats()).bytes).toBeLessThanOrEqual(1 << 20);
  });

  it("may be begun by all of them at once", async () => {
    const folder = await newFolder();
    const paths = Array.from({ length: 40 }, (_, i) => join(folder, String(i), "scores.sqlite"));
    const children = Array.from({ length: 3 }, () => {
      return startProcess(["--input-type=module", "-e", BEGINNER, BUILT, ...paths]);
    });
    for (const { done } of children) {
      const { status, output } = await done;
      expect(output).toBe("[]\n");
      expect(status).toBe(0);
    }
  });

  it("gives no wrong values while its file is damaged and removed under it", async () => {
    const path = await newPath();
    const children = Array.from({ length: 3 }, () => startChild(path, 1_500));
    const random = new Random(5);
    const running = Promise.all(children.map(({ done }) => done));
    let ended = false;
    void running.then(() => {
      ended = true;
    });
    for (let round = 0; !ended; round++) {
      await new Promise((resolve) => setTimeout(resolve, 40));
      try {
        if (round % 10 === 9) await rm(path, { force: true });
        else {
          const { size } = await stat(path);
          const bytes = Buffer.from(Array.from({ length: 16 }, () => random.below(256)));
          await overwrite(path, random.below(Math.max(1, size - 16)), bytes);
        }
      } catch (error) {
        // One of the processes replaces the file just now.
        if (systemCode(error) !== "ENOENT") throw error;
      }
    }
    for (const { status, output } of await running) {
      expect(output).toMatch(/"stored":[1-9]/);
      expect(status).toBe(0);
    }
  });
});
