/** Repair of indexes with texts: what is damaged is encoded again. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { Random } from "../../src/common/random.js";
import type { DocumentInput } from "../../src/documents/types.js";
import { Index } from "../../src/engine/index.js";
import { repairIndex } from "../../src/engine/repair.js";
import { verifyIndex } from "../../src/engine/verify.js";
import { copyOf, filesOf, flip, sectionsOf, sql } from "../support/damage.js";
import { tempFolder } from "../support/temp-folder.js";
import { writeTinyModel } from "../support/tiny-model.js";

const root = tempFolder();
const sound = join(root, "sound");
const CONFIG = { query_length: 16, document_length: 32, do_query_expansion: false, embedding_dim: 16 };
const FIRST_WORDS = "the cat sat on mat".split(" ");
const LATER_WORDS = "dog running fast search index token q w z 1 2 3".split(" ");
const QUERIES = ["the cat", "fast dog", "search index"];

let copies = 0;
const copy = (): string => copyOf(sound, join(root, `copy-${copies++}`));

function documents(prefix: string, count: number, words: readonly string[]): DocumentInput[] {
  const random = new Random(count);
  return Array.from({ length: count }, (_, i) => ({
    id: `${prefix}${i}`,
    title: `title ${i}`,
    text: Array.from({ length: i % 5 === 0 ? 70 : 8 }, () => words[random.below(words.length)]).join(" "),
  }));
}

async function contents(folder: string): Promise<unknown> {
  const index = await Index.open(folder, { threads: 1 });
  try {
    const answers = [];
    for (const query of QUERIES) {
      const { hits } = await index.search(query, { k: 100, effort: "exact" });
      answers.push(hits.map(({ id, score, text }) => [id, score, text]));
    }
    return { documents: await index.list({ limit: 1000 }), answers };
  } finally {
    await index.close();
  }
}

const bytesOf = (folder: string): Record<string, string> =>
  Object.fromEntries(
    ["segments", "codecs"].flatMap((type) =>
      readdirSync(join(folder, type)).map((name) => [name, readFileSync(join(folder, type, name), "base64")]),
    ),
  );

let healthy: unknown;
let bytes: Record<string, string>;

beforeAll(async () => {
  const model = join(root, "model");
  await import("node:fs/promises").then(({ mkdir }) => mkdir(model));
  await writeTinyModel(model, { "onnx_config.json": CONFIG });
  const index = await Index.create(sound, { model, threads: 1, compaction: "off" });
  await index.add(documents("a", 24, FIRST_WORDS));
  await index.add(documents("b", 40, LATER_WORDS));
  await index.add([...documents("c", 10, FIRST_WORDS), { id: "a3", text: "the new cat" }]);
  await index.delete(["a1", "b5"]);
  await index.close();
  healthy = await contents(sound);
  bytes = bytesOf(sound);
  expect(await verifyIndex(sound, { deep: true })).toMatchObject({ ok: true });
});

describe("segments of texts", () => {
  it("are written with several codecs, each an extension of the one before", () => {
    expect(filesOf(sound, "segment")).toHaveLength(3);
    expect(filesOf(sound, "codec").length).toBeGreaterThan(1);
  });

  it.each([0, 1, 2])("come back byte for byte from their texts (segment %i)", async (which) => {
    const { name } = filesOf(sound, "segment")[which]!;
    for (const damage of ["residual", "codes", "missing"]) {
      const folder = copy();
      if (damage === "missing") rmSync(join(folder, name));
      else flip(join(folder, name), (await sectionsOf(folder, "segment", name)).get(damage)!.offset + 3);
      const dry = await repairIndex(folder, { dryRun: true });
      expect(dry).toMatchObject({ ok: true, left: [], repaired: [{ file: name }] });
      const report = await repairIndex(folder, { threads: 1 });
      expect(report).toMatchObject({ ok: true, left: [], lost: [], generation: 5, encoded: dry.encoded });
      expect(report.encoded).toBeGreaterThan(10);
      expect(report.repaired[0]!.what).toMatch(
        /^\d+ passages were encoded again from their texts; the file is byte for byte what it was$/,
      );
      expect(bytesOf(folder)).toEqual(bytes);
      expect(await contents(folder)).toEqual(healthy);
      expect(existsSync(join(folder, "encode.journal"))).toBe(false);
    }
  });

  it("come back without what compaction has forgotten", async () => {
    const folder = copy();
    const index = await Index.open(folder, { threads: 1 });
    await index.compact({ graceMs: 0 });
    await index.close();
    const before = await contents(folder);
    const { name } = filesOf(folder, "segment")[0]!;
    rmSync(join(folder, name));
    expect(await repairIndex(folder, { threads: 1 })).toMatchObject({ ok: true, lost: [] });
    expect(await contents(folder)).toEqual(before);
    expect(await verifyIndex(folder, { deep: true })).toMatchObject({ ok: true, problems: [] });
  });

  it("wait for their model", async () => {
    const folder = copy();
    rmSync(join(folder, filesOf(folder, "segment")[1]!.name));
    const report = await repairIndex(folder, { model: join(root, "elsewhere") });
    expect(report).toMatchObject({ ok: false, lost: [], generation: 4 });
    expect(report.left).toEqual([
      expect.objectContaining({ needs: "model", what: expect.stringMatching(/elsewhere/) }),
    ]);
    expect(await repairIndex(folder, { threads: 1 })).toMatchObject({ ok: true });
    expect(await contents(folder)).toEqual(healthy);
  });

  it("keep the journal of an add that did not reach its end", async () => {
    const folder = copy();
    const index = await Index.open(folder, { threads: 1 });
    const stop = new AbortController();
    const adding = index.add(documents("d", 100, LATER_WORDS), {
      signal: stop.signal,
      onProgress: ({ stage, done }) => {
        if (stage === "encode" && done > 0) stop.abort();
      },
    });
    await expect(adding).rejects.toMatchObject({ code: "ABORTED" });
    await index.close();
    expect(existsSync(join(folder, "encode.journal"))).toBe(true);
    rmSync(join(folder, filesOf(folder, "segment")[0]!.name));
    expect(await repairIndex(folder, { threads: 1 })).toMatchObject({ ok: true });
    const again = await Index.open(folder, { threads: 1 });
    expect((await again.add(documents("d", 100, LATER_WORDS))).resumed).toBeGreaterThan(0);
    await again.close();
  });

  it("are encoded without the documents whose texts are lost, when that is asked for", async () => {
    const folder = copy();
    sql(folder, "UPDATE texts SET text = 'x' WHERE document_no = 4");
    rmSync(join(folder, filesOf(folder, "segment")[0]!.name));
    expect(await repairIndex(folder, { threads: 1 })).toMatchObject({ ok: false, lost: [], generation: 4 });
    const report = await repairIndex(folder, { threads: 1, dropDamaged: true });
    expect(report).toMatchObject({ ok: true, left: [], lost: [{ id: "a4" }] });
    expect(await verifyIndex(folder, { deep: true })).toMatchObject({ ok: true });
  });
});

describe("a codec", () => {
  it("is made again, with everything that was encoded with it, when that is asked for", async () => {
    const folder = copy();
    const name = filesOf(folder, "codec").at(-1)!.name;
    writeFileSync(join(folder, name), "garbage");
    const asked = await repairIndex(folder);
    expect(asked).toMatchObject({ ok: false, repaired: [], generation: 4, encoded: 0 });
    expect(asked.left[0]).toMatchObject({
      file: name,
      needs: "rebuild",
      what: expect.stringMatching(/encodes all \d+ passages, \d+ token vectors/),
    });
    const dry = await repairIndex(folder, { rebuild: true, dryRun: true });
    const report = await repairIndex(folder, { rebuild: true, threads: 1 });
    expect(report).toMatchObject({ ok: true, left: [], lost: [], generation: 5, encoded: dry.encoded });
    expect(await verifyIndex(folder, { deep: true })).toMatchObject({ ok: true, problems: [] });
    const ids = async (of: string) => {
      const index = await Index.open(of, { threads: 1 });
      const found = (await index.search("the cat", { k: 100 })).hits.map(({ id }) => id);
      await index.close();
      return found.sort();
    };
    expect(await ids(folder)).toEqual(await ids(sound));
  });

  it("that others extend may be gone, and segments that were written with it come back", async () => {
    const folder = copy();
    const before = await contents(folder);
    rmSync(join(folder, filesOf(folder, "codec")[0]!.name));
    expect(await verifyIndex(folder)).toMatchObject({ ok: true });
    flip(join(folder, filesOf(folder, "segment")[0]!.name), 840);
    expect(await repairIndex(folder, { threads: 1 })).toMatchObject({ ok: true, lost: [] });
    expect(await contents(folder)).toEqual(before);
  });

  it("that others extend is checked while it is there", async () => {
    const folder = copy();
    const { name } = filesOf(folder, "codec")[0]!;
    flip(join(folder, name), 900);
    expect((await verifyIndex(folder)).problems).toContainEqual(expect.objectContaining({ file: name }));
    const report = await repairIndex(folder);
    expect(report).toMatchObject({ ok: true, left: [], lost: [], encoded: 0 });
    expect(report.repaired).toEqual([
      { file: name, what: "was removed: the codec that extends it holds all that it held" },
    ]);
    expect(await contents(folder)).toEqual(healthy);
  });
});
