import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type CorpusItem, type CorpusOptions, readCorpus } from "../../../src/datasets/corpus.js";
import { toJson } from "../../../src/datasets/parquet-values.js";
import { tempFolder } from "../../support/temp-folder.js";

const folder = tempFolder();
/** Written by make.py, which lies there. */
const fixture = (name: string): string =>
  fileURLToPath(new URL(`../../fixtures/parquet/${name}`, import.meta.url));

async function read(path: string, options: CorpusOptions = {}): Promise<CorpusItem[]> {
  const items: CorpusItem[] = [];
  for await (const item of readCorpus([path], options)) items.push(item);
  return items;
}

describe("a Parquet file", () => {
  test.each(["none", "snappy", "gzip", "zstd", "brotli", "lz4", "v2"])("of codec %s", async (name) => {
    const path = fixture(`${name}.parquet`);
    const items = await read(path);
    expect(items).toHaveLength(7);
    expect(items[0]).toEqual({
      kind: "document",
      document: {
        id: "1",
        title: "One",
        text: "text of row 1, naïve café",
        metadata: {
          year: 2020,
          score: 0.5,
          tags: ["a", "b"],
          seen: "2024-01-01T00:00:00.000Z",
          place: { city: "Oslo", zip: 1 },
          kind: "x",
          open: true,
        },
        source: { path, line: 1 },
      },
    });
    // No title, a number that is none, a list without items.
    expect(items[1]).toMatchObject({ document: { id: "2", metadata: { tags: [] }, source: { line: 2 } } });
    expect(items[1]).not.toHaveProperty("document.title");
    expect(items[1]).not.toHaveProperty("document.metadata.score");
    // Beyond the numbers that JavaScript has exactly.
    expect(items[5]).toMatchObject({ document: { id: "1152921504606846976", source: { line: 6 } } });
  });

  test("has its columns named, or found", async () => {
    expect(await read(fixture("bare.parquet"))).toMatchObject([
      { document: { id: "a", text: "first" } },
      { document: { id: "b", text: "second" } },
    ]);
    expect(
      await read(fixture("none.parquet"), { textColumn: "title", idColumn: "year", skipInvalid: true }),
    ).toMatchObject([
      { document: { id: "2020", text: "One" } },
      { kind: "invalid", line: 2, reason: '"title" must be a string, found null' },
      ...Array.from({ length: 5 }, () => ({ kind: "document" })),
    ]);
    await expect(read(fixture("no-text.parquet"))).rejects.toMatchObject({
      code: "UNKNOWN_COLUMN",
      message: `${fixture("no-text.parquet")} has no column "text", found "sku", "description"`,
    });
  });

  test("with a row without text is refused, or passed over when told", async () => {
    const path = fixture("holes.parquet");
    await expect(read(path)).rejects.toMatchObject({
      code: "INVALID_INPUT",
      message: `${path}:2: "text" must be a string, found null`,
    });
    expect((await read(path, { skipInvalid: true })).map(({ kind }) => kind)).toEqual([
      "document",
      "invalid",
      "document",
    ]);
    expect(await read(fixture("empty.parquet"))).toEqual([]);
  });

  const bytes = readFileSync(fixture("zstd.parquet"));
  const damaged = (name: string, content: Uint8Array): string => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };
  test.each([
    ["short.parquet", bytes.subarray(0, 5), "it is no Parquet file: it is too short"],
    ["cut.parquet", bytes.subarray(0, 4000), "it is no Parquet file, or its end is missing"],
    [
      "footer.parquet",
      Buffer.concat([
        bytes.subarray(0, bytes.length - 8),
        Buffer.from([0xff, 0xff, 0, 0]),
        Buffer.from("PAR1"),
      ]),
      "its footer would have 65535 bytes",
    ],
    [
      "encrypted.parquet",
      Buffer.concat([bytes.subarray(0, bytes.length - 4), Buffer.from("PARE")]),
      "is encrypted",
    ],
    [
      "holed.parquet",
      Buffer.concat([Buffer.alloc(2000), bytes.subarray(2000)]),
      "the Parquet data from row 1 on is damaged",
    ],
  ])("that is damaged is refused: %s", async (name, content, message) => {
    const path = damaged(name, content);
    await expect(read(path)).rejects.toMatchObject({
      code: "INVALID_INPUT",
      message: expect.stringContaining(message),
    });
    expect(await read(path, { skipInvalid: true })).toMatchObject([{ kind: "skipped", path, failed: true }]);
  });

  test("with changed bytes gives rows or says what is wrong", async () => {
    const at = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(at, fc.nat(bytes.length), async (changes, cut) => {
        const bent = Buffer.from(bytes);
        for (const [offset, value] of changes) bent[offset] = value;
        const path = damaged("fuzz.parquet", cut % 3 === 0 ? bent.subarray(0, cut) : bent);
        try {
          await read(path, { skipInvalid: true });
        } catch (error) {
          expect(error).toMatchObject({ name: "MaxsimError", message: expect.stringContaining(path) });
        }
      }),
      { numRuns: 150 },
    );
  });
});

test("values are JSON", () => {
  expect(toJson(3n)).toBe(3);
  expect(toJson(2n ** 60n)).toBe("1152921504606846976");
  expect(toJson(Number.NaN)).toBeNull();
  expect(toJson(new Date(Number.NaN))).toBeNull();
  expect(toJson(new Float32Array([1, 2]))).toEqual([1, 2]);
  expect(toJson(Buffer.from("text"))).toBe("text");
  expect(toJson([Buffer.from("in a list")])).toEqual([null]);
  expect(toJson(undefined)).toBeNull();
  let deep: unknown = "x";
  for (let i = 0; i < 1000; i++) deep = [deep];
  expect(JSON.stringify(toJson(deep)).length).toBeLessThan(200);
});
