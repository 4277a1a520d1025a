import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isMaxsimError } from "../../../src/common/errors.js";
import { Catalog } from "../../../src/documents/catalog.js";
import { Staging } from "../../../src/documents/staging.js";
import type { DocumentInput } from "../../../src/documents/types.js";
import { addDocuments, INDEX_ID, inFolder, makeDocuments, SETTINGS, splitBlocks } from "./support.js";

const START = { firstDocument: 10, firstPassage: 100 };

/** Runs `work` with a staging that is removed afterwards. */
function withStaging(work: (staging: Staging, folder: string) => void): Promise<void> {
  return inFolder((folder) => {
    const staging = Staging.create(folder, START);
    try {
      work(staging, folder);
    } finally {
      staging.remove();
    }
    expect(readdirSync(folder)).toEqual([]);
  });
}

function errorOf(work: () => unknown): { code: string; message: string } {
  try {
    work();
  } catch (error) {
    if (isMaxsimError(error)) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error("it did not throw");
}

describe("Staging", () => {
  test("numbers follow each other, and passages come with context and text", () =>
    withStaging((staging) => {
      const first: DocumentInput = { id: "a", title: "Tea", text: "green leaf \n\nblack leaf" };
      expect(staging.addDocument(first, splitBlocks(first))).toEqual({ documentNo: 10, firstPassage: 100 });
      expect(staging.addDocument({ id: "b", text: "" }, [])).toEqual({ documentNo: 11, firstPassage: 102 });
      const third: DocumentInput = { id: "c", text: "x" };
      expect(staging.addDocument(third, splitBlocks(third))).toEqual({ documentNo: 12, firstPassage: 102 });
      expect([staging.documents, staging.passages]).toEqual([3, 3]);
      const all = [
        { passageNo: 100, documentNo: 10, text: "Tea green leaf" },
        { passageNo: 101, documentNo: 10, text: "Tea black leaf" },
        { passageNo: 102, documentNo: 12, text: "x" },
      ];
      expect(staging.readPassages(0, 99)).toEqual(all);
      expect(staging.readPassages(101, 1)).toEqual([all[1]]);
      staging.flush();
      expect(staging.readPassages(103, 1)).toEqual([]);
      staging.setTokens([
        { passageNo: 100, tokens: 4 },
        { passageNo: 102, tokens: 5 },
      ]);
      expect([...staging.readDocuments()].map((document) => document.tokens)).toEqual([4, 0, 5]);
      expect(errorOf(() => staging.setTokens([{ passageNo: 7, tokens: 1 }])).code).toBe("INTERNAL");
    }));

  test("an id that comes twice names both places, and the rest goes on", () =>
    withStaging((staging) => {
      staging.addDocument({ id: "a", text: "1", source: { path: "x.jsonl", line: 3 } }, []);
      staging.addDocument({ id: "b", text: "2" }, []);
      const twice = (id: string, source?: { path: string; line?: number }): string =>
        errorOf(() => staging.addDocument({ id, text: "3", ...(source ? { source } : {}) }, [])).message;
      expect(twice("a", { path: "y.txt" })).toMatch(
        /"a" appears twice: first in x\.jsonl:3, then in y\.txt$/,
      );
      expect(twice("b")).toMatch(/first as document 2 of the input, then as document 3 of the input$/);
      expect(staging.addDocument({ id: "c", text: "4" }, [])?.documentNo).toBe(12);
    }));

  const invalid: Array<[string, unknown]> = [
    ["no id", { text: "x" }],
    ["an empty id", { id: "", text: "x" }],
    ["an id of 1,025 bytes", { id: `${"ż".repeat(512)}a`, text: "x" }],
    ["an id with NUL", { id: "a\0b", text: "x" }],
    ["an id with a lone surrogate", { id: "a\ud800", text: "x" }],
    ["no text", { id: "a" }],
    ["a number as text", { id: "a", text: 5 }],
    ["a number as title", { id: "a", text: "x", title: 5 }],
    ["metadata that is an array", { id: "a", text: "x", metadata: [] }],
    ["a function", { id: "a", text: "x", metadata: { f: () => 1 } }],
    ["a bigint", { id: "a", text: "x", metadata: { n: [1n] } }],
    ["NaN", { id: "a", text: "x", metadata: { n: Number.NaN } }],
    ["a Date", { id: "a", text: "x", metadata: { d: new Date(0) } }],
    ["a Map", { id: "a", text: "x", metadata: { d: new Map() } }],
    ["a symbol", { id: "a", text: "x", metadata: { s: Symbol("s") } }],
    ["a negative line", { id: "a", text: "x", source: { path: "p", line: -1 } }],
  ];
  test.each(invalid)("%s is refused and leaves nothing", (_, input) =>
    withStaging((staging) => {
      expect(errorOf(() => staging.addDocument(input as DocumentInput, [])).code).toBe("INVALID_DOCUMENT");
      expect([staging.documents, staging.passages, staging.readPassages(0, 9).length]).toEqual([0, 0, 0]);
    }),
  );

  test("cycles and bottomless nesting are refused with the way to them", () =>
    withStaging((staging) => {
      const cyclic: Record<string, unknown> = { a: { b: [] } };
      (cyclic.a as { b: unknown[] }).b.push(cyclic);
      const add = (metadata: unknown) => () =>
        staging.addDocument({ id: "a", text: "x", metadata } as unknown as DocumentInput, []);
      expect(errorOf(add(cyclic)).message).toMatch(/document "a": .*metadata\.a\.b\[0\] contains itself/);
      let deep: unknown = 1;
      for (let i = 0; i < 10_000; i++) deep = { d: deep };
      expect(errorOf(add(deep)).message).toMatch(/nested deeper than 100/);
    }));

  test("spans outside of the text are refused before anything is stored", () =>
    withStaging((staging) => {
      const good = { start: 0, end: 1, lineStart: 1, lineEnd: 1, context: "" };
      for (const bad of [{ end: 9 }, { start: 2 }, { start: -1 }, { end: 0.5 }, { lineEnd: Number.NaN }]) {
        const spans = [good, { ...good, ...bad }];
        expect(errorOf(() => staging.addDocument({ id: "a", text: "xy" }, spans)).code).toBe("INTERNAL");
      }
      expect(staging.documents).toBe(0);
    }));

  test("a file that a broken-off add left is replaced", () =>
    inFolder((folder) => {
      writeFileSync(join(folder, "build.sqlite"), "rubbish".repeat(1000));
      const staging = Staging.create(folder, START);
      expect(staging.documents).toBe(0);
      staging.close();
      expect(existsSync(join(folder, "build.sqlite"))).toBe(true);
      Staging.create(folder, START).remove();
      expect(existsSync(join(folder, "build.sqlite"))).toBe(false);
    }));

  test("more rows than one transaction takes", () =>
    withStaging((staging) => {
      for (const document of makeDocuments(6000)) staging.addDocument(document, splitBlocks(document));
      expect([...staging.readSpans()].map((span) => span.passageNo)).toEqual(
        Array.from({ length: staging.passages }, (_, i) => 100 + i),
      );
    }));
});

test("any document comes back from the catalog", async () => {
  const text = fc.string({ unit: "binary", maxLength: 50 });
  const document = fc.record(
    {
      id: fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }).filter((id) => !id.includes("\0")),
      text,
      title: text,
      url: text,
      metadata: fc.dictionary(text, fc.jsonValue({ noUnicodeString: false })),
      source: fc.record({ path: text, line: fc.nat() }, { requiredKeys: ["path"] }),
    },
    { requiredKeys: ["id", "text"] },
  );
  const property = fc.asyncProperty(
    fc.uniqueArray(document, { selector: ({ id }) => id, minLength: 1, maxLength: 20 }),
    (documents) =>
      inFolder((folder) => {
        const catalog = Catalog.create(folder, { indexId: INDEX_ID, settings: SETTINGS });
        addDocuments(folder, catalog, documents as DocumentInput[]);
        const found = catalog.listDocuments(catalog.snapshot(), { offset: 0, limit: 99 });
        expect(catalog.verify()).toEqual([]);
        catalog.close();
        // -0 is 0 in JSON.
        const expected = documents.map((input) => JSON.parse(JSON.stringify({ metadata: {}, ...input })));
        expect(found.map(({ documentNo, firstPassage, passages, tokens, ...content }) => content)).toEqual(
          expected,
        );
      }),
  );
  await fc.assert(property, { numRuns: 12 });
});

test("lone surrogates in a text become U+FFFD, and __proto__ stays a key", () =>
  inFolder((folder) => {
    const catalog = Catalog.create(folder, { indexId: INDEX_ID, settings: SETTINGS });
    const metadata = JSON.parse('{"__proto__": {"polluted": true}, "constructor": 1}');
    addDocuments(folder, catalog, [
      { id: "a", text: "a\ud800b\udc00c 🐢", metadata: { ...metadata, u: undefined } },
    ]);
    const found = catalog.documentById("a", catalog.snapshot())!;
    catalog.close();
    expect(found.text).toBe("a\ufffdb\ufffdc 🐢");
    expect(JSON.stringify(found.metadata)).toBe('{"__proto__":{"polluted":true},"constructor":1}');
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  }));
