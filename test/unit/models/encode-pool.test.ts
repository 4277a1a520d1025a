import { execFile } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Encoder } from "../../../src/engine/encoder.js";
import { loadModelSettings } from "../../../src/models/load-settings.js";
import { resolveModel } from "../../../src/models/registry.js";
import type { ModelSettings } from "../../../src/models/settings.js";
import { EncodePool } from "../../../src/workers/encode-pool.js";
import { temporaryFolders } from "../../support/temp-folder.js";
import { tinyId, writeTinyModel } from "../../support/tiny-model.js";

const newFolder = temporaryFolders();
const WORDS = ["cat", "dog", "mat", "search", "index", "token", "fast", "run"];
const TEXTS = Array.from({ length: 300 }, (_, i) => `${WORDS[i % 8]} `.repeat(1 + ((i * 7) % 25)));

async function tinyFolder(): Promise<string> {
  const folder = await newFolder();
  const config = { query_length: 16, document_length: 32, embedding_dim: 16, do_query_expansion: false };
  await writeTinyModel(folder, { "onnx_config.json": { ...config, skiplist_words: ["."] } });
  return folder;
}

async function withPool<T>(
  settings: ModelSettings,
  threads: number,
  use: (pool: EncodePool) => Promise<T>,
): Promise<T> {
  const pool = await EncodePool.create(settings, { threads });
  try {
    return await use(pool);
  } finally {
    await pool.close();
  }
}

describe("a pool with a tiny model", () => {
  let settings: ModelSettings;
  beforeAll(async () => {
    settings = await loadModelSettings(await tinyFolder());
  });

  test("hands documents over one by one, each with its place", async () => {
    await withPool(settings, 2, async (pool) => {
      const documents = await pool.encodeDocuments(TEXTS);
      const visited = new Map<number, Float32Array>();
      await pool.visitDocuments(TEXTS, ({ vectors }, i) => visited.set(i, vectors));
      expect([...visited.keys()].sort((a, b) => a - b)).toEqual([...TEXTS.keys()]);
      for (const [i, { vectors }] of documents.entries()) expect(visited.get(i)).toEqual(vectors);
      const stop = (): void => {
        throw new Error("seen enough");
      };
      await expect(pool.visitDocuments(TEXTS, stop)).rejects.toThrow("seen enough");
    });
  });

  test("keeps the order of its input", async () => {
    await withPool(settings, 2, async (pool) => {
      const passages = await pool.encodePassages(TEXTS);
      const documents = await pool.encodeDocuments(TEXTS);
      expect(passages).toHaveLength(TEXTS.length);
      for (const [i, { tokenIds, vectors, contentTokens, truncated }] of passages.entries()) {
        const words = 1 + ((i * 7) % 25);
        const content = new Array(words).fill(tinyId(WORDS[i % 8]!));
        expect([...tokenIds]).toEqual([tinyId("[CLS]"), tinyId("[D] "), ...content, tinyId("[SEP]")]);
        expect(vectors).toMatchObject({ count: words + 3, dim: 16 });
        expect(vectors.values).toHaveLength((words + 3) * 16);
        expect(vectors.scales).toHaveLength(words + 3);
        expect({ contentTokens, truncated }).toEqual({ contentTokens: words, truncated: false });
        expect(documents[i]!.vectors).toHaveLength((words + 3) * 16);
      }
    });
  });

  test("does nothing for no texts and takes texts of any content", async () => {
    await withPool(settings, 1, async (pool) => {
      expect(await pool.encodePassages([])).toEqual([]);
      const odd = await pool.encodePassages(["", "...", "\ud800 lone", "\0", "x".repeat(100_000)]);
      expect(odd.map((p) => p.contentTokens)).toEqual([0, 0, expect.any(Number), 0, 1]);
    });
  });

  test("queries have their tokens' texts", async () => {
    await withPool(settings, 1, async (pool) => {
      const query = await pool.encodeQuery("Cat running.");
      expect(query.tokens).toEqual(["[CLS]", "[Q] ", "cat", "run", "##ning", ".", "[SEP]"]);
      expect(query).toMatchObject({ count: 7, dim: 16, truncated: false });
      expect(query.vectors).toHaveLength(7 * 16);
    });
  });

  test("aborts before and during the work, and goes on afterwards", async () => {
    await withPool(settings, 2, async (pool) => {
      const fired = AbortSignal.abort(new Error("enough"));
      await expect(pool.encodePassages(TEXTS, { signal: fired })).rejects.toMatchObject({ code: "ABORTED" });
      await expect(pool.encodeQuery("cat", { signal: fired })).rejects.toMatchObject({ code: "ABORTED" });
      const controller = new AbortController();
      const work = pool.encodePassages(TEXTS, { signal: controller.signal });
      controller.abort();
      await expect(work).rejects.toMatchObject({ code: "ABORTED" });
      expect(await pool.encodePassages(["cat"])).toHaveLength(1);
    });
  });

  test("closing ends work under way with CLOSED, and later work too", async () => {
    const pool = await EncodePool.create(settings, { threads: 2 });
    const passages = pool.encodePassages(TEXTS);
    const query = pool.encodeQuery("cat");
    const outcomes = Promise.allSettled([passages, query]);
    await Promise.all([pool.close(), pool.close()]);
    for (const outcome of await outcomes) {
      if (outcome.status === "rejected") expect(outcome.reason).toMatchObject({ code: "CLOSED" });
    }
    expect((await outcomes)[0]!.status).toBe("rejected");
    await expect(pool.encodeQuery("cat")).rejects.toMatchObject({ code: "CLOSED" });
    await expect(pool.encodePassages(["cat"])).rejects.toMatchObject({ code: "CLOSED" });
  });

  test("a thread that dies ends its work with an error, and the next call works", async () => {
    await withPool(settings, 1, async (pool) => {
      const threads = () =>
        (pool as unknown as { passages: { threads: Array<{ terminate(): Promise<number> }> } }).passages
          .threads;
      // Before the runtime is loaded: inside it, the process would end as well.
      const work = pool.encodePassages(TEXTS);
      const outcome = expect(work).rejects.toMatchObject({ code: "WORKER_FAILED" });
      await threads()[0]!.terminate();
      await outcome;
      expect(await pool.encodePassages(["cat"])).toHaveLength(1);
      // An idle thread that dies is replaced, and nobody is told but the log.
      await threads()[0]!.terminate();
      expect(await pool.encodePassages(["cat"])).toHaveLength(1);
    });
  });

  test("a process that ends in the middle of the work ends with its own status", async () => {
    const script = `
      const { EncodePool } = await import(${JSON.stringify(new URL("../../../dist/workers/encode-pool.js", import.meta.url).href)});
      const { loadModelSettings } = await import(${JSON.stringify(new URL("../../../dist/models/load-settings.js", import.meta.url).href)});
      const pool = await EncodePool.create(await loadModelSettings(${JSON.stringify(await resolveModel())}), { threads: 2 });
      pool.encodeQuery("cat").then(() => setTimeout(() => process.exit(7), 30));
      await pool.encodePassages(Array.from({ length: 500 }, (_, i) => \`text \${i} \`.repeat(100)));
      process.exit(1);`;
    const run = promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script]);
    await expect(run).rejects.toMatchObject({ code: 7, signal: null, stderr: "" });
  });

  test("errors of a thread keep code and hint", async () => {
    const folder = await tinyFolder();
    const broken = await loadModelSettings(folder);
    await rm(join(folder, "model.onnx"));
    await writeFile(join(folder, "model.onnx"), "not a graph");
    await withPool(broken, 2, async (pool) => {
      const invalid = { code: "MODEL_INVALID", message: expect.stringContaining("model.onnx") };
      await expect(pool.encodePassages(TEXTS)).rejects.toMatchObject(invalid);
      await expect(pool.encodeQuery("cat")).rejects.toMatchObject(invalid);
      await expect(pool.warmQueries()).rejects.toMatchObject(invalid);
    });
  });

  test.each([0, 1.5, -1, Number.NaN])("refuses %d threads", async (threads) => {
    await expect(EncodePool.create(settings, { threads })).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
    });
  });
});

test("with the bundled model, vectors do not depend on company or threads", async () => {
  const settings = await loadModelSettings(await resolveModel());
  const texts = [
    "A reader never blocks a writer.",
    "x",
    "The log is moved into the database. ".repeat(9),
    "naïve café",
  ];
  const alone = await withPool(settings, 1, async (pool) => {
    const results = [];
    for (const text of texts) results.push((await pool.encodePassages([text]))[0]!);
    return results;
  });
  const together = await withPool(settings, 2, (pool) =>
    pool.encodePassages([...texts, ...texts.map((t) => `${t} more`), ...texts].reverse()),
  );
  for (const [i, passage] of alone.entries()) {
    for (const other of [together[11 - i]!, together[3 - i]!]) {
      expect(Buffer.from(other.vectors.values).equals(Buffer.from(passage.vectors.values))).toBe(true);
      expect(other.vectors.scales).toEqual(passage.vectors.scales);
    }
  }
});

describe("Encoder", () => {
  let encoder: Encoder;
  beforeAll(async () => {
    encoder = await Encoder.load(await tinyFolder(), { threads: 1 });
  });
  afterAll(() => encoder.close());

  test("encodes queries and documents", async () => {
    expect(encoder.settings.dim).toBe(16);
    const [query] = await encoder.encodeQueries(["cat"]);
    expect(query).toMatchObject({
      count: 4,
      dim: 16,
      truncated: false,
      tokens: ["[CLS]", "[Q] ", "cat", "[SEP]"],
    });
    const [document, long] = await encoder.encodeDocuments(["dog.", "cat ".repeat(100)]);
    expect(document!.tokens).toEqual(["[CLS]", "[D] ", "dog", "[SEP]"]);
    expect(document!.vectors).toHaveLength(4 * 16);
    expect(long).toMatchObject({ count: 32, truncated: true });
  });

  test.each([
    ["a blank query", () => encoder.encodeQueries(["cat", " \n"]), "queries[1]"],
    ["a number", () => encoder.encodeDocuments([3 as unknown as string]), "documents[0]"],
    ["a single text", () => encoder.encodeQueries("cat" as unknown as string[]), "queries must be an array"],
  ])("refuses %s", async (_, call, words) => {
    await expect(call()).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringContaining(words),
    });
  });

  test("is disposable", async () => {
    const disposable = await Encoder.load(await tinyFolder());
    await disposable[Symbol.asyncDispose]();
    await expect(disposable.encodeQueries(["cat"])).rejects.toMatchObject({ code: "CLOSED" });
  });
});
