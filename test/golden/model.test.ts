/** The bundled model against vectors that the Python runtime made from the same graph. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadModelSettings } from "../../src/models/load-settings.js";
import { listBundledModels, resolveModel } from "../../src/models/registry.js";
import type { ModelSettings } from "../../src/models/settings.js";
import { TextTokenizer } from "../../src/models/tokenizer.js";
import { EncodePool } from "../../src/workers/encode-pool.js";

interface GoldenItem {
  readonly kind: "query" | "document";
  readonly text: string;
  readonly ids: readonly number[];
  readonly kept: readonly number[];
  readonly first_row: number;
  readonly rows: number;
}

/** Products of int8 matrices are exact, float steps differ between processors: far below this. */
const MIN_COSINE = 0.99;

let settings: ModelSettings;
let items: readonly GoldenItem[];
let vectors: Float32Array;
let pool: EncodePool;

beforeAll(async () => {
  settings = await loadModelSettings(await resolveModel());
  const golden = JSON.parse(await readFile(join(settings.folder, "golden.json"), "utf8"));
  items = golden.items;
  const npy = await readFile(join(settings.folder, "golden.npy"));
  const start = 10 + npy.readUInt16LE(8);
  vectors = new Float32Array(npy.buffer.slice(npy.byteOffset + start, npy.byteOffset + npy.length));
  pool = await EncodePool.create(settings, { threads: 1 });
});

afterAll(async () => {
  await pool.close();
});

function worstCosine(found: Float32Array, { first_row, rows }: GoldenItem): number {
  const { dim } = settings;
  let worst = 1;
  for (let row = 0; row < rows; row++) {
    let cosine = 0;
    for (let d = 0; d < dim; d++) cosine += found[row * dim + d]! * vectors[(first_row + row) * dim + d]!;
    worst = Math.min(worst, cosine);
  }
  return worst;
}

describe("the bundled model", () => {
  test("is listed and has its settings", async () => {
    expect((await listBundledModels()).map((m) => m.name)).toContain("maxsim-small-en-v1");
    expect(settings).toMatchObject({
      name: "maxsim-small-en-v1",
      dialect: "next-plaid",
      dim: 128,
      queryLength: 48,
      documentLength: 256,
      queryMarker: { id: 1 },
      documentMarker: { id: 2 },
      expansion: null,
      projection: [],
      notes: [],
    });
    expect(settings.skiplist.size).toBe(32);
  });

  test("gives the golden token ids and kept positions", async () => {
    const tokenizer = await TextTokenizer.load(settings);
    for (const item of items) {
      const encoded =
        item.kind === "query" ? tokenizer.encodeQuery(item.text) : tokenizer.encodeDocument(item.text);
      expect({ text: item.text, ids: [...encoded.ids], kept: [...encoded.kept] }).toEqual({
        text: item.text,
        ids: item.ids,
        kept: item.kept,
      });
    }
  });

  test("gives the golden query vectors", async () => {
    const queries = items.filter((item) => item.kind === "query");
    const worst: number[] = [];
    for (const item of queries) {
      const { vectors: found, count, truncated } = await pool.encodeQuery(item.text);
      expect(count).toBe(item.rows);
      expect(truncated).toBe(item.text.startsWith("long query"));
      worst.push(worstCosine(found, item));
    }
    console.info(`worst cosine of ${queries.length} queries: ${Math.min(...worst)}`);
    expect(Math.min(...worst)).toBeGreaterThanOrEqual(MIN_COSINE);
  });

  test("gives the golden document vectors, in floats and quantized", async () => {
    const documents = items.filter((item) => item.kind === "document");
    const texts = documents.map((item) => item.text);
    const floats = await pool.encodeDocuments(texts);
    const quantized = await pool.encodePassages(texts);
    const worst = { floats: 1, quantized: 1 };
    for (const [i, item] of documents.entries()) {
      const { values, scales, count, dim } = quantized[i]!.vectors;
      expect(count).toBe(item.rows);
      expect([...quantized[i]!.tokenIds]).toEqual(item.kept.map((position) => item.ids[position]));
      const restored = Float32Array.from(values, (value, at) => value * scales[Math.floor(at / dim)]!);
      worst.floats = Math.min(worst.floats, worstCosine(floats[i]!.vectors, item));
      worst.quantized = Math.min(worst.quantized, worstCosine(restored, item));
    }
    console.info(`worst cosine of ${documents.length} documents: ${JSON.stringify(worst)}`);
    expect(worst.floats).toBeGreaterThanOrEqual(MIN_COSINE);
    expect(worst.quantized).toBeGreaterThanOrEqual(MIN_COSINE);
  });
});
